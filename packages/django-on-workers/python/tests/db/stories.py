"""Random migrations over random rows: the same for every database."""

import datetime
import random

import django
from django.db import migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import functions

LABEL = "shop"
ROWS = 12

CASCADE = models.CASCADE
ACTIONS = [models.CASCADE, models.SET_NULL]
if django.VERSION >= (6, 1):
    # Done by the database itself.
    ACTIONS += [models.DB_CASCADE, models.DB_SET_NULL]
CONDITION = "condition" if django.VERSION >= (5, 1) else "check"


def check(name, condition):
    return models.CheckConstraint(name=name, **{CONDITION: condition})


class Story:
    """A sequence of migrations, told by a seed."""

    def __init__(self, seed):
        self.source = random.Random(seed)
        self.names = (f"f{number}" for number in range(10_000))
        self.state = ProjectState()
        #: What the models of the beginning are called by now.
        self.called = {name: name for name in ("author", "tag", "book", "page")}
        #: Fields that a constraint, an index or a generated field names, by model.
        self.used = {}

    # The beginning.

    def first(self):
        """Return the migration with which every story begins."""
        source = self.source
        auto = models.BigAutoField(primary_key=True)
        key = source.choice(
            [
                lambda: models.AutoField(primary_key=True),
                lambda: models.BigAutoField(primary_key=True),
                lambda: models.CharField(max_length=20, primary_key=True),
            ]
        )
        return self.migration(
            migrations.CreateModel(
                "Author",
                [
                    ("id", key()),
                    ("name", models.CharField(max_length=50)),
                    ("code", models.IntegerField(unique=True)),
                    ("mentor", self.foreign_key("author")),
                ],
            ),
            migrations.CreateModel("Tag", [("id", auto), ("word", models.TextField())]),
            migrations.CreateModel(
                "Book",
                [
                    ("id", auto.clone()),
                    ("title", models.CharField(max_length=50)),
                    ("author", self.foreign_key("author")),
                    ("by_code", self.foreign_key("author", to_field="code")),
                    ("tags", models.ManyToManyField(f"{LABEL}.tag", related_name="+")),
                ],
            ),
            migrations.CreateModel(
                "Page",
                [
                    ("id", auto.clone()),
                    ("number", models.IntegerField(default=1)),
                    ("book", self.foreign_key("book")),
                    (
                        "cover_of",
                        models.OneToOneField(f"{LABEL}.book", CASCADE, null=True, related_name="+"),
                    ),
                ],
            ),
        )

    def fill(self, alias):
        source = random.Random(42)
        author, book, tag, page = map(self.model, ("author", "book", "tag", "page"))
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

    def live(self, alias, source):
        """Write rows and delete some, as a site does between two migrations."""
        for name in ("tag", "book", "author"):
            query = self.model(name).objects.using(alias)
            keys = list(query.order_by("pk").values_list("pk", flat=True))
            if len(keys) > 3:
                # Sometimes the last one, whose id must not be given out again.
                query.get(pk=keys[source.choice([-1, -1, 1])]).delete()
        self.model("tag").objects.using(alias).create()
        book = self.model("book").objects.using(alias).create()
        for field in book._meta.local_many_to_many:
            others = field.remote_field.model.objects.using(alias).order_by("pk")
            getattr(book, field.name).add(*others[:2])

    def model(self, name):
        return self.state.apps.get_model(LABEL, self.called[name])

    # What can happen next.

    def migration(self, *operations):
        """Return a migration of these operations, which it makes part of the story."""
        for operation in operations:
            after = self.state.clone()
            operation.state_forwards(LABEL, after)
            self.state = after
        migration = migrations.Migration("migration", LABEL)
        migration.operations = list(operations)
        return migration

    def next(self):
        """Return the next migration, of one to three operations."""
        operations, count = [], self.source.choice([1, 1, 2, 3])
        while len(operations) < count:
            operation = self.step()
            if operation is None:
                continue
            try:
                self.migration(operation)
            except Exception:  # it names what an earlier operation has removed
                continue
            operations.append(operation)
            if isinstance(operation, migrations.RenameModel):
                self._rename(operation.old_name_lower, operation.new_name_lower)
        migration = migrations.Migration("migration", LABEL)
        migration.operations = operations
        return migration

    def step(self):
        """Return an operation, or None where the chosen kind does not fit the chosen model."""
        source = self.source
        key = source.choice(sorted(key for key in self.state.models if key[0] == LABEL))
        return source.choice(KINDS)(self, self.state.models[key])

    def _rename(self, old, new):
        for role, name in self.called.items():
            if name == old:
                self.called[role] = new
        self.used[new] = self.used.pop(old, set())

    def foreign_key(self, to, kind=models.ForeignKey, **options):
        action = self.source.choice(ACTIONS)
        return kind(f"{LABEL}.{to}", action, null=True, related_name="+", **options)

    def fields(self, model, *classes, free=True):
        """Return names of a model's fields that are of these classes, and that nothing names."""
        used = self.used.get(model.name_lower, set()) if free else set()
        # Others refer to it by that name, or write to it by that name.
        kept = {"code", "word", "title", "name"}
        return [
            name
            for name, field in model.fields.items()
            if isinstance(field, classes)
            and not field.primary_key
            and not field.unique
            and not field.generated
            and name not in used
            and (not free or name not in kept)
        ]

    def use(self, model, name):
        self.used.setdefault(model.name_lower, set()).add(name)
        return name

    def choose(self, model, *classes, free=True):
        names = self.fields(model, *classes, free=free)
        return self.source.choice(names) if names else None

    def add(self, model):
        source = self.source
        field = source.choice(
            [
                models.IntegerField(default=5),
                models.CharField(max_length=9, default="it's 5%"),
                models.TextField(default='5% "é"\n?'),
                models.BooleanField(null=True),
                models.DecimalField(max_digits=6, decimal_places=2, default="1.50"),
                models.DateField(null=True, db_index=True),
                models.DateTimeField(default=datetime.datetime(2020, 2, 29, tzinfo=datetime.UTC)),
                models.JSONField(default=dict),
                models.BinaryField(default=b"\0'x"),
                models.FloatField(default=0.1),
                models.BigIntegerField(default=2**60 + 1),
                models.IntegerField(db_default=7),
                models.CharField(max_length=20, db_default=functions.Lower(models.Value("A'B"))),
                models.IntegerField(null=True, unique=True),
            ]
        )
        return migrations.AddField(model.name, next(self.names), field)

    def add_generated(self, model):
        name = self.choose(model, models.IntegerField, free=False)
        if name is None:
            return None
        field = models.GeneratedField(
            expression=models.F(self.use(model, name)) * 2 + 1,
            output_field=models.BigIntegerField(),
            db_persist=self.source.random() < 0.3,
        )
        return migrations.AddField(model.name, next(self.names), field)

    def add_relation(self, model):
        kind = self.source.choice([models.ForeignKey, models.OneToOneField])
        to = self.called[self.source.choice(["tag", "author", "book"])]
        return migrations.AddField(model.name, next(self.names), self.foreign_key(to, kind))

    def add_many(self, model):
        to = self.called[self.source.choice(["tag", "author", "page"])]
        field = models.ManyToManyField(f"{LABEL}.{to}", related_name="+")
        return migrations.AddField(model.name, next(self.names), field)

    def remove(self, model):
        name = self.choose(model, models.Field)
        return name and migrations.RemoveField(model.name, name)

    def remove_used(self, model):
        """Remove a field that an index or a constraint may name: some of these are refused."""
        name = self.choose(model, models.IntegerField, free=False)
        return name and migrations.RemoveField(model.name, name)

    def rename_field(self, model):
        name = self.choose(model, models.Field)
        return name and migrations.RenameField(model.name, name, next(self.names))

    def rename_unique(self, model):
        # Foreign keys refer to it.
        if "code" not in model.fields:
            return None
        return migrations.RenameField(model.name, "code", next(self.names))

    def rename_model(self, model):
        return migrations.RenameModel(model.name, f"Model{next(self.names)}")

    def alter_table(self, model):
        name = self.source.choice([f"table {next(self.names)}", None])
        return migrations.AlterModelTable(model.name, name)

    def alter_type(self, model):
        source = self.source
        name = self.choose(model, models.Field)
        if name is None:
            return None
        field, null = model.fields[name], model.fields[name].null
        text = models.TextField(null=null, default="")
        kinds = {
            "CharField": [text, models.CharField(max_length=200, null=null, default="d")],
            "TextField": [models.CharField(max_length=500, null=null, default="d")],
            "IntegerField": [
                models.BigIntegerField(null=null, db_index=True, default=1),
                models.CharField(max_length=30, null=null, default="1"),
                models.FloatField(null=null, default=1.0),
                models.DecimalField(max_digits=20, decimal_places=3, null=null, default="1.0"),
            ],
            "BigIntegerField": [text],
            "BooleanField": [models.IntegerField(null=null, default=0)],
            "DecimalField": [models.FloatField(null=null, default=0.0), text],
            "DateField": [models.CharField(max_length=40, null=null, default="")],
            "JSONField": [text],
        }.get(field.get_internal_type())
        return kinds and migrations.AlterField(model.name, name, source.choice(kinds))

    def alter_null(self, model):
        name = self.choose(model, models.IntegerField, models.CharField)
        if name is None:
            return None
        field = model.fields[name].clone()
        field.null = not field.null
        if not field.has_default():
            field.default = 3
        return migrations.AlterField(model.name, name, field)

    def alter_unique(self, model):
        """Alter the field that foreign keys refer to."""
        if "code" not in model.fields:
            return None
        kind = self.source.choice([models.BigIntegerField, models.IntegerField])
        return migrations.AlterField(model.name, "code", kind(unique=True))

    def alter_column(self, model):
        name = self.choose(model, models.IntegerField, models.TextField)
        if name is None:
            return None
        field = model.fields[name].clone()
        field.db_column = f'co"l {next(self.names)}'.replace('"', "_")
        return migrations.AlterField(model.name, name, field)

    def alter_key(self, model):
        field = model.fields["id"]
        if isinstance(field, models.BigAutoField):
            altered = models.AutoField(primary_key=True, db_comment="n")
        elif isinstance(field, models.CharField):
            altered = models.CharField(max_length=99, primary_key=True)
        else:
            altered = models.BigAutoField(primary_key=True)
        return migrations.AlterField(model.name, "id", altered)

    def alter_relation(self, model):
        relations = [name for name, field in model.fields.items() if field.many_to_one]
        if not relations:
            return None
        name = self.source.choice(relations)
        field = model.fields[name].clone()
        field.remote_field.on_delete = self.source.choice(ACTIONS)
        field.db_index = not field.db_index
        return migrations.AlterField(model.name, name, field)

    def alter_kind_of_relation(self, model):
        """Make a foreign key one to one, which its rows may refuse, or the other way round."""
        name = self.choose(model, models.ForeignKey, free=False) or next(
            (name for name, field in model.fields.items() if field.one_to_one), None
        )
        if name is None or model.fields[name].remote_field.field_name not in (None, "id"):
            return None
        old = model.fields[name]
        kind = models.ForeignKey if old.one_to_one else models.OneToOneField
        to = old.remote_field.model
        field = kind(to, CASCADE, null=True, related_name="+")
        return migrations.AlterField(model.name, name, field)

    def add_check(self, model):
        name = self.choose(model, models.IntegerField, free=False)
        if name is None:
            return None
        name = self.use(model, name)
        condition = models.Q(**{f"{name}__gte": -1}) | models.Q(**{f"{name}__isnull": True})
        constraint = check(f"c_{next(self.names)}", condition)
        return migrations.AddConstraint(model.name, constraint)

    def add_unique(self, model):
        name = self.choose(model, models.CharField, models.TextField, free=False)
        if name is None:
            return None
        name, title = self.use(model, name), f"u_{next(self.names)}"
        constraint = self.source.choice(
            [
                models.UniqueConstraint(fields=[name, "id"], name=title),
                models.UniqueConstraint(functions.Lower(name), "id", name=title),
                models.UniqueConstraint(
                    fields=[name, "id"], condition=models.Q(**{f"{name}__gt": "N"}), name=title
                ),
            ]
        )
        return migrations.AddConstraint(model.name, constraint)

    def remove_constraint(self, model):
        constraints = model.options.get("constraints")
        if not constraints:
            return None
        return migrations.RemoveConstraint(model.name, self.source.choice(constraints).name)

    def add_index(self, model):
        name = self.choose(model, models.IntegerField, models.TextField, free=False)
        if name is None:
            return None
        name, title = self.use(model, name), f"i_{next(self.names)}"
        index = self.source.choice(
            [
                models.Index(fields=[name], name=title),
                models.Index(fields=[f"-{name}", "id"], name=title),
                models.Index(models.F(name).desc(), name=title),
                models.Index(functions.Coalesce(name, models.Value(0)), name=title),
                models.Index(
                    fields=["id"], condition=models.Q(**{f"{name}__isnull": False}), name=title
                ),
            ]
        )
        return migrations.AddIndex(model.name, index)

    def change_index(self, model):
        indexes = model.options.get("indexes")
        if not indexes:
            return None
        index = self.source.choice(indexes)
        if self.source.random() < 0.5:
            return migrations.RemoveIndex(model.name, index.name)
        return migrations.RenameIndex(
            model.name, old_name=index.name, new_name=f"r_{next(self.names)}"
        )

    def together(self, model):
        name = self.choose(model, models.Field, free=False)
        if name is None or model.fields[name].many_to_many or self.source.random() < 0.3:
            return migrations.AlterUniqueTogether(model.name, set())
        return migrations.AlterUniqueTogether(model.name, {(self.use(model, name), "id")})

    def create(self, model):
        fields = [
            ("id", models.BigAutoField(primary_key=True)),
            ("n", models.IntegerField(default=1)),
            ("of", self.foreign_key(model.name_lower)),
        ]
        return migrations.CreateModel(f"Model{next(self.names)}", fields)

    def delete(self, model):
        """Delete a model, if nothing refers to it."""
        names = {"author", "tag", "book", "page"}
        if model.name_lower in names | set(self.called.values()):
            return None
        for other in self.state.models.values():
            for field in other.fields.values():
                to = getattr(field.remote_field, "model", None)
                if isinstance(to, str) and to.lower() == f"{LABEL}.{model.name_lower}":
                    return None
        return migrations.DeleteModel(model.name)

    def run(self, model):
        """Read and write rows between other operations."""
        name = self.choose(model, models.IntegerField, free=False)
        if name is None:
            return None
        title = model.name

        def forwards(apps, editor):
            query = apps.get_model(LABEL, title).objects.using(editor.connection.alias)
            for row in query.order_by("pk")[:3]:
                setattr(row, name, (getattr(row, name) or 0) + 1000)
                row.save(using=editor.connection.alias, update_fields=[name])
            query.order_by("pk").filter(pk__in=query.order_by("-pk")[:1]).update(**{name: 77777})

        return migrations.RunPython(forwards, migrations.RunPython.noop)


KINDS = [
    *[Story.add] * 3,
    *[Story.add_relation] * 2,
    *[Story.alter_type] * 4,
    *[Story.rename_field] * 2,
    *[Story.remove] * 2,
    Story.add_check,
    Story.add_generated,
    Story.add_index,
    Story.add_many,
    Story.add_unique,
    Story.alter_column,
    Story.alter_key,
    Story.alter_kind_of_relation,
    Story.alter_null,
    Story.alter_relation,
    Story.alter_table,
    Story.alter_unique,
    Story.change_index,
    Story.create,
    Story.delete,
    Story.remove_constraint,
    Story.remove_used,
    Story.rename_model,
    Story.rename_unique,
    Story.run,
    Story.together,
]
