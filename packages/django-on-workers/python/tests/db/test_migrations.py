"""Random migrations over random rows: every row must be what native SQLite has, at every step."""

import datetime
import random
import unittest
from collections import Counter
from copy import deepcopy
from decimal import InvalidOperation

import django

from .project import ALIASES, BACKENDS, NATIVE, TestCase, part, report, setup

setup()

from django.db import (  # noqa: E402
    IntegrityError,
    NotSupportedError,
    connections,
    migrations,
    models,
)
from django.db.migrations.state import ProjectState  # noqa: E402
from django.db.models import functions  # noqa: E402

from django_on_workers.db.sqlite.creation import drop_everything  # noqa: E402

from .stories import LABEL, Story  # noqa: E402

SEEDS = range(part(200, 12, inside=3))
STEPS = part(10, 6)


def empty(alias):
    connection = connections[alias]
    if alias == NATIVE:
        connection.disable_constraint_checking()
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names(cursor):
                cursor.execute(f'DROP TABLE "{table}"')
        connection.enable_constraint_checking()
    else:
        drop_everything(connection)


def rows(state, alias):
    """Return all rows of all models, in a comparable order."""
    found = {}
    for model in state.apps.get_models(include_auto_created=True):
        names = sorted(field.attname for field in model._meta.concrete_fields)
        found[model._meta.db_table] = sorted(
            map(repr, model.objects.using(alias).values_list(*names))
        )
    return found


def shape(alias):
    """Return the tables with their columns, constraints and indexes."""
    connection, found = connections[alias], {}
    introspection = connection.introspection
    with connection.cursor() as cursor:
        for table in introspection.table_names(cursor):
            constraints = introspection.get_constraints(cursor, table)
            cursor.execute(f"PRAGMA foreign_key_list({connection.ops.quote_name(table)})")
            found[table] = {
                "columns": [
                    (column.name, column.type_code, column.null_ok, column.default, column.pk)
                    for column in introspection.get_table_description(cursor, table)
                ],
                "constraints": sorted(
                    ("" if name.startswith("__") else name, sorted(map(repr, constraint.items())))
                    for name, constraint in constraints.items()
                ),
                "actions": sorted(row[2:7] for row in cursor.fetchall()),
            }
    return found


def apply(operation, alias, before, after):
    with connections[alias].schema_editor() as editor:
        operation.database_forwards(LABEL, editor, before, after)


class RandomMigrationsTests(TestCase):
    def setUp(self):
        self.counts = Counter()
        # Inside the runtime there are the project's own tables.
        for alias in ALIASES:
            empty(alias)
            self.addCleanup(empty, alias)

    def assertSameEverywhere(self, state, message):
        """Compare all rows and tables; return whether native SQLite can read its own rows."""
        try:
            expected = rows(state, NATIVE)
        except InvalidOperation:
            # A column of text that has become one of numbers.
            for alias in BACKENDS:
                with self.assertRaises(InvalidOperation, msg=f"{alias}: {message}"):
                    rows(state, alias)
            return False
        expected_shape = shape(NATIVE)
        for alias in BACKENDS:
            self.assertEqual(rows(state, alias), expected, f"{alias}: {message}")
            self.assertEqual(shape(alias), expected_shape, f"{alias}: {message}")
            connections[alias].check_constraints()
        self.counts["rows compared"] += sum(map(len, expected.values())) * len(BACKENDS)
        return True

    def test_forwards_and_backwards(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.play(seed)
            for alias in ALIASES:
                empty(alias)
        kinds = {key: value for key, value in self.counts.items() if key != "rows compared"}
        report("migrations", stories=len(SEEDS), **{"rows compared": self.counts["rows compared"]})
        report("operations", **dict(sorted(kinds.items())))

    def everywhere(self, migrate, message):
        """
        Do something on every database, and return whether native SQLite did it.

        What native SQLite refuses, the others have to refuse too.
        """
        try:
            migrate(NATIVE)
        except Exception as error:
            for alias in BACKENDS:
                with self.assertRaises(Exception, msg=f"{alias}, {message}, {error}"):  # noqa: B017
                    migrate(alias)
            return False
        for alias in BACKENDS:
            try:
                migrate(alias)
            except Exception as error:
                raise AssertionError(f"{alias}, {message}") from error
        return True

    def play(self, seed):
        story = Story(seed)
        states, done = [story.state], [story.first()]
        for alias in ALIASES:
            self.migrate(alias, done[0], states[0])
            story.fill(alias)
        self.assertSameEverywhere(story.state, f"seed {seed}, filled")
        for step in range(STEPS):
            before, called, used = story.state, dict(story.called), deepcopy(story.used)
            migration = story.next()
            message = f"seed {seed}: {describe(migration)}"
            if not self.everywhere(
                lambda alias, m=migration, b=before: self.migrate(alias, m, b), message
            ):
                self.counts["refused"] += 1
                story.state, story.called, story.used = before, called, used
                if any(isinstance(o, migrations.RunPython) for o in migration.operations):
                    # What was done before it stays on D1, until the migration is run again.
                    break
                self.assertSameEverywhere(before, f"{message}, refused")
                continue
            states.append(before)
            done.append(migration)
            self.counts.update(type(operation).__name__ for operation in migration.operations)
            if not self.assertSameEverywhere(story.state, message):
                return
            if step % 3 == 2:
                message = f"seed {seed}, rows written after {message}"
                lives = self.everywhere(
                    lambda alias: story.live(alias, random.Random(seed)), message
                )
                if not lives:
                    return
                self.assertSameEverywhere(story.state, message)
        while len(done) > 1:
            migration, before = done.pop(), states.pop()
            message = f"seed {seed}, back: {describe(migration)}"
            back = self.everywhere(
                lambda alias, m=migration, b=before: self.migrate(alias, m, b, backwards=True),
                message,
            )
            if not back:
                # A column that may not be empty, without a default.
                return
            self.counts["reversed"] += len(migration.operations)
            if not self.assertSameEverywhere(before, message):
                return

    def migrate(self, alias, migration, before, *, backwards=False):
        with connections[alias].schema_editor(atomic=True) as editor:
            (migration.unapply if backwards else migration.apply)(before.clone(), editor)


def describe(migration):
    return "; ".join(operation.describe() for operation in migration.operations)


class RebuildTests(TestCase):
    """A table that others refer to, changed."""

    def setUp(self):
        self.addCleanup(lambda: [empty(alias) for alias in BACKENDS])

    def test_children_survive_whatever_their_action(self):
        for alias in BACKENDS:
            connection = connections[alias]
            for action in ("NO ACTION", "CASCADE", "SET NULL", "RESTRICT"):
                for kind, values in (("integer", "(1), (2), (-3)"), ("varchar(9)", "('a'), ('b')")):
                    with self.subTest(alias=alias, action=action, kind=kind):
                        self.rebuild(connection, action, kind, values)
                        empty(alias)

    def test_what_can_not_be_rebuilt_is_refused(self):
        for alias in BACKENDS:
            with self.assertRaisesRegex(NotSupportedError, "child.*ON UPDATE CASCADE"):
                self.rebuild(connections[alias], "CASCADE ON UPDATE CASCADE", "integer", "(1), (2)")
            with connections[alias].cursor() as cursor:
                rows = cursor.execute("SELECT p FROM child ORDER BY p").fetchall()
            self.assertEqual(rows, [(None,), (1,), (2,)])
            empty(alias)
            self.rebuild(connections[alias], "NO ACTION ON UPDATE CASCADE", "integer", "(1), (2)")
            empty(alias)

    def rebuild(self, connection, action, kind, values):
        integer = kind == "integer"
        key = models.AutoField if integer else models.CharField
        state = ProjectState()
        create = migrations.CreateModel(
            "Parent",
            [
                ("id", key(primary_key=True, **({} if integer else {"max_length": 9}))),
                ("n", models.IntegerField(null=True)),
            ],
        )
        after = state.clone()
        create.state_forwards(LABEL, after)
        apply(create, connection.alias, state, after)
        with connection.cursor() as cursor:
            cursor.execute(
                f"CREATE TABLE child (p {kind} REFERENCES shop_parent (id) ON DELETE {action})"
            )
            cursor.execute(f"INSERT INTO shop_parent (id) VALUES {values}")
            cursor.execute("INSERT INTO child SELECT id FROM shop_parent UNION ALL SELECT NULL")
            before = cursor.execute("SELECT p FROM child ORDER BY p").fetchall()
        alter = migrations.AlterField("parent", "n", models.BigIntegerField(default=3))
        altered = after.clone()
        alter.state_forwards(LABEL, altered)
        apply(alter, connection.alias, after, altered)
        with connection.cursor() as cursor:
            self.assertEqual(cursor.execute("SELECT p FROM child ORDER BY p").fetchall(), before)
            self.assertEqual(cursor.execute("PRAGMA foreign_key_check").fetchall(), [])
            with self.assertRaises(IntegrityError):
                cursor.execute("INSERT INTO child VALUES (999)")

    def test_a_default_with_a_placeholder_in_it(self):
        for alias in BACKENDS:
            state, after = ProjectState(), ProjectState()
            create = migrations.CreateModel("Thing", [("id", models.AutoField(primary_key=True))])
            create.state_forwards(LABEL, after)
            apply(create, alias, state, after)
            after.apps.get_model(LABEL, "Thing").objects.using(alias).create()
            add = migrations.AddField("thing", "v", models.TextField(default="%s 100%% 'x'"))
            added = after.clone()
            add.state_forwards(LABEL, added)
            apply(add, alias, after, added)
            thing = added.apps.get_model(LABEL, "Thing").objects.using(alias).get()
            self.assertEqual(thing.v, "%s 100%% 'x'")
            empty(alias)

    def test_constraints_of_many_values_and_of_dates(self):
        keyword = "condition" if django.VERSION >= (5, 1) else "check"
        conditions = [
            models.Q(n__in=range(200)),
            models.Q(day__year__gte=2000) | models.Q(moment__hour__lt=5),
            models.Q(word__startswith="é" * 40) | models.Q(word__contains="x"),
        ]
        for alias in BACKENDS:
            state = ProjectState()
            create = migrations.CreateModel(
                "Thing",
                [
                    ("id", models.AutoField(primary_key=True)),
                    ("n", models.IntegerField()),
                    ("day", models.DateField()),
                    ("moment", models.DateTimeField()),
                    ("word", models.TextField()),
                ],
                options={
                    "constraints": [
                        models.CheckConstraint(name=f"c{index}", **{keyword: condition})
                        for index, condition in enumerate(conditions)
                    ],
                    "indexes": [
                        models.Index(functions.ExtractYear("moment"), name="by_year"),
                        models.Index(functions.Lower("word"), name="by_word"),
                    ],
                },
            )
            after = state.clone()
            create.state_forwards(LABEL, after)
            apply(create, alias, state, after)
            things = after.apps.get_model(LABEL, "Thing").objects.using(alias)
            # The zone of the settings is America/Chicago, six hours behind.
            moment = datetime.datetime(2020, 1, 1, 10, 59, tzinfo=datetime.UTC)
            good = {"n": 199, "day": "1999-01-01", "moment": moment, "word": "é" * 41}
            things.create(**good)
            late = moment + datetime.timedelta(minutes=1)
            for bad in ({"n": 200}, {"moment": late}, {"word": "é" * 39}):
                with self.assertRaises(IntegrityError):
                    things.create(**{**good, **bad})
            empty(alias)

    def test_ids_are_not_given_out_again(self):
        for alias in BACKENDS:
            connection = connections[alias]
            state, after = ProjectState(), ProjectState()
            create = migrations.CreateModel("Thing", [("id", models.AutoField(primary_key=True))])
            create.state_forwards(LABEL, after)
            apply(create, alias, state, after)
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO shop_thing VALUES (1), (2), (77)")
                cursor.execute("DELETE FROM shop_thing WHERE id = 77")
            add = migrations.AddField("thing", "n", models.IntegerField(default=1))
            added = after.clone()
            add.state_forwards(LABEL, added)
            apply(add, alias, after, added)
            with connection.cursor() as cursor:
                cursor.execute("INSERT INTO shop_thing (n) VALUES (5)")
                cursor.execute("SELECT max(id) FROM shop_thing")
                self.assertEqual(cursor.fetchone()[0], 78)
            empty(alias)


if __name__ == "__main__":
    unittest.main()
