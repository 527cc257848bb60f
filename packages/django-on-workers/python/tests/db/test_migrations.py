"""Random migrations over random rows: every row must be what native SQLite has, at every step."""

import datetime
import random
import unittest

import django

from .project import ALIASES, BACKENDS, setup

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

SEEDS = range(24)
STEPS = 7
ROWS = 12

LABEL = "shop"
CASCADE = models.CASCADE
ACTIONS = [models.CASCADE]
if django.VERSION >= (6, 1):
    ACTIONS = [models.CASCADE, models.DB_CASCADE, models.DB_SET_NULL]


def empty(alias):
    connection = connections[alias]
    if alias == "native":
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


def foreign_key(source, to, **options):
    action = source.choice(ACTIONS)
    return models.ForeignKey(to, action, null=True, related_name="+", **options)


class Story:
    """A random sequence of operations, the same for every database."""

    def __init__(self, seed):
        self.source = random.Random(seed)
        self.names = iter(f"f{number}" for number in range(1000))
        self.state = ProjectState()
        self.operations = []

    def begin(self):
        source = self.source
        key = source.choice(
            [
                lambda: models.AutoField(primary_key=True),
                lambda: models.BigAutoField(primary_key=True),
                lambda: models.CharField(max_length=20, primary_key=True),
            ]
        )
        auto = models.BigAutoField(primary_key=True)
        yield migrations.CreateModel(
            "Author",
            [
                ("id", key()),
                ("name", models.CharField(max_length=50)),
                ("code", models.IntegerField(unique=True)),
                ("mentor", foreign_key(source, f"{LABEL}.Author")),
            ],
        )
        yield migrations.CreateModel("Tag", [("id", auto.clone()), ("word", models.TextField())])
        yield migrations.CreateModel(
            "Book",
            [
                ("id", auto.clone()),
                ("title", models.CharField(max_length=50)),
                ("author", foreign_key(source, f"{LABEL}.Author")),
                ("by_code", foreign_key(source, f"{LABEL}.Author", to_field="code")),
                ("tags", models.ManyToManyField(f"{LABEL}.Tag")),
            ],
        )
        yield migrations.CreateModel(
            "Page",
            [
                ("id", auto.clone()),
                ("number", models.IntegerField(default=1)),
                ("book", foreign_key(source, f"{LABEL}.Book")),
                (
                    "cover_of",
                    models.OneToOneField(f"{LABEL}.Book", CASCADE, null=True, related_name="+"),
                ),
            ],
        )

    def fill(self, alias):
        source = random.Random(42)
        get = self.state.apps.get_model
        author, book, tag, page = (get(LABEL, name) for name in ("Author", "Book", "Tag", "Page"))
        is_text = isinstance(author._meta.pk, models.CharField)
        authors = []
        for number in range(ROWS):
            key = f"key {number}" if is_text else number + 1
            mentor = source.choice(authors) if authors and number % 3 else None
            author.objects.using(alias).create(
                pk=key, name=f"Name {number}", code=number * 7, mentor_id=mentor
            )
            authors.append(key)
        tags = [tag.objects.using(alias).create(word=f"w{number}") for number in range(4)]
        for number in range(ROWS):
            one = book.objects.using(alias).create(
                title=f"Title {number}",
                author_id=source.choice([*authors, None]),
                by_code_id=source.choice([None, 7, 14]),
            )
            one.tags.add(*source.sample(tags, 2))
            for index in range(3):
                page.objects.using(alias).create(
                    number=index, book=one, cover_of=one if index == 0 else None
                )

    def step(self):
        """Return an operation that the state allows."""
        source, state = self.source, self.state
        key = source.choice([key for key in state.models if key[0] == LABEL])
        model = state.models[key]
        plain = [
            (name, field)
            for name, field in model.fields.items()
            if not field.remote_field and not field.primary_key
        ]
        referred = {"code"} if key[1] == "author" else set()
        name, field = source.choice(plain)
        new = next(self.names)
        choices = ["add", "add_unique", "add_key", "rename_field", "alter", "constraint", "index"]
        choices += ["alter_key", "rename_model", "together", "alter_relation"]
        if name not in referred and len(plain) > 1:
            choices.append("remove")
        kind = source.choice(choices)
        if kind == "add":
            field = source.choice(
                [
                    models.IntegerField(default=5),
                    models.CharField(max_length=9, default="it's 5%"),
                    models.BooleanField(null=True),
                    models.DecimalField(max_digits=6, decimal_places=2, default="1.50"),
                    models.DateField(null=True, db_index=True),
                    models.JSONField(default=dict),
                ]
            )
            return migrations.AddField(model.name, new, field)
        if kind == "add_unique":
            return migrations.AddField(model.name, new, models.IntegerField(null=True, unique=True))
        if kind == "add_key":
            return migrations.AddField(model.name, new, foreign_key(source, f"{LABEL}.Tag"))
        if kind == "remove":
            return migrations.RemoveField(model.name, name)
        if kind == "rename_field":
            if name in referred and source.random() < 0.5:
                return None
            return migrations.RenameField(model.name, name, new)
        if kind == "alter":
            if name in referred:
                return migrations.AlterField(model.name, name, models.BigIntegerField(unique=True))
            if isinstance(field, models.CharField):
                return migrations.AlterField(model.name, name, models.TextField(null=True))
            if isinstance(field, models.IntegerField) and not field.unique:
                return migrations.AlterField(
                    model.name, name, models.BigIntegerField(null=True, db_index=True)
                )
            return None
        if kind == "alter_key":
            field = model.fields["id"]
            if isinstance(field, models.BigAutoField):
                return migrations.AlterField(
                    model.name, "id", models.AutoField(primary_key=True, db_comment="n")
                )
            if isinstance(field, models.CharField):
                return migrations.AlterField(
                    model.name, "id", models.CharField(max_length=99, primary_key=True)
                )
            return migrations.AlterField(model.name, "id", models.BigAutoField(primary_key=True))
        if kind == "alter_relation":
            relations = [(name, field) for name, field in model.fields.items() if field.many_to_one]
            if not relations:
                return None
            name, field = source.choice(relations)
            clone = field.clone()
            clone.remote_field.on_delete = source.choice(ACTIONS)
            clone.db_index = not clone.db_index
            return migrations.AlterField(model.name, name, clone)
        if kind == "constraint":
            if not isinstance(field, models.IntegerField):
                return None
            condition = models.Q(**{f"{name}__gte": -1}) | models.Q(**{f"{name}__isnull": True})
            keyword = "condition" if django.VERSION >= (5, 1) else "check"
            return migrations.AddConstraint(
                model.name, models.CheckConstraint(name=f"c_{new}", **{keyword: condition})
            )
        if kind == "index":
            return migrations.AddIndex(model.name, models.Index(fields=[name], name=f"i_{new}"))
        if kind == "together":
            return migrations.AlterUniqueTogether(model.name, {(name, "id")})
        if kind == "rename_model" and key[1] != "author":
            return None
        return None

    def extend(self, operation):
        before = self.state
        after = before.clone()
        operation.state_forwards(LABEL, after)
        self.operations.append((operation, before, after))
        self.state = after
        return before, after


def apply(operation, alias, before, after, *, backwards=False):
    with connections[alias].schema_editor() as editor:
        method = operation.database_backwards if backwards else operation.database_forwards
        method(LABEL, editor, before, after)


class RandomMigrationsTests(unittest.TestCase):
    maxDiff = 2000

    def tearDown(self):
        for alias in ALIASES:
            empty(alias)

    def assertSameRows(self, state, message):
        expected = rows(state, "native")
        for alias in BACKENDS:
            self.assertEqual(rows(state, alias), expected, f"{alias}: {message}")
            leftovers = [
                name
                for name in connections[alias].introspection.table_names()
                if name.startswith(("new__", "old__"))
            ]
            self.assertEqual(leftovers, [])
            connections[alias].check_constraints()

    def test_forwards_and_backwards(self):
        for seed in SEEDS:
            with self.subTest(seed=seed):
                self.play(seed)
            for alias in ALIASES:
                empty(alias)

    def play(self, seed):
        story = Story(seed)
        for operation in story.begin():
            before, after = story.extend(operation)
            for alias in ALIASES:
                apply(operation, alias, before, after)
        for alias in ALIASES:
            story.fill(alias)
        self.assertSameRows(story.state, "filled")
        start = len(story.operations)
        while len(story.operations) < start + STEPS:
            operation = story.step()
            if operation is None:
                continue
            before, after = story.extend(operation)
            description = f"seed {seed}: {operation.describe()}"
            try:
                apply(operation, "native", before, after)
            except Exception:
                # What native SQLite refuses (a column that a constraint names), all do.
                for alias in BACKENDS:
                    with self.assertRaises(Exception, msg=description):  # noqa: B017
                        apply(operation, alias, before, after)
                return
            for alias in BACKENDS:
                try:
                    apply(operation, alias, before, after)
                except Exception as error:
                    raise AssertionError(f"{alias}, {description}") from error
            self.assertSameRows(after, description)
        while len(story.operations) > start:
            operation, before, after = story.operations.pop()
            description = f"seed {seed}, back: {operation.describe()}"
            try:
                apply(operation, "native", after, before, backwards=True)
            except IntegrityError:
                # A column that may not be empty, without a default.
                return
            for alias in BACKENDS:
                try:
                    apply(operation, alias, after, before, backwards=True)
                except Exception as error:
                    raise AssertionError(f"{alias}, {description}") from error
            self.assertSameRows(before, description)


class RebuildTests(unittest.TestCase):
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
