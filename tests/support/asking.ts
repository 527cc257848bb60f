/** Projects with a model, some of whose modules ask for its rows while they are imported. */
import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { keeping } from "./environment.ts";

const MODELS = `from django.db import models


class Option(models.Model):
    name = models.CharField(max_length=40)
`;
const MIGRATION = `from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    operations = [migrations.CreateModel("Option", [("id", models.BigAutoField(primary_key=True)), ("name", models.CharField(max_length=40))])]
`;
/** All rows, by name. */
export const NAMES = "list(Option.objects.order_by('pk').values_list('name', flat=True))";
const indented = (text: string): string => text.replace(/^(?=.)/gm, "        ");
const APP = (ready: string) => `from django.apps import AppConfig
from django.db import DatabaseError


class Captured(AppConfig):
    name = "captured"

    def ready(self):
        from captured.models import Option

${indented(ready)}`;
const IMPORTS = "from django.apps import apps\nfrom django.db import DatabaseError\nfrom captured.models import Option\n\n";

export interface Files {
  kept?: string;
  answer: string;
  ready?: string;
  application?: string;
}

/** Such a project: `kept` begins its views, which answer `answer`, `ready` is its app's, `application` ends its WSGI and ASGI modules. */
export function asking(label: string, { kept = "", answer, ready, application = "" }: Files): string {
  const folder = keeping(label, IMPORTS + kept, answer);
  writeFileSync(join(folder, "captured", "models.py"), MODELS);
  mkdirSync(join(folder, "captured", "migrations"));
  writeFileSync(join(folder, "captured", "migrations", "__init__.py"), "");
  writeFileSync(join(folder, "captured", "migrations", "0001_initial.py"), MIGRATION);
  if (ready !== undefined) writeFileSync(join(folder, "captured", "apps.py"), APP(ready));
  for (const module of ["asgi.py", "wsgi.py"]) appendFileSync(join(folder, "config", module), `\n${application}`);
  return folder;
}
