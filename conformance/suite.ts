/** Django's own tests as a project: those of some applications of its suite, from the sdist of the release that runs. */
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { environment } from "../scripts/lib/venv.mjs";
import { ran } from "../tests/support/command.ts";
import { emptyProject, work } from "../tests/support/project.ts";

/** The folder `tests` of a release's sdist, fetched once. */
export async function djangoTests(release: string): Promise<string> {
  const folder = join(work, "sdist", release);
  if (existsSync(folder)) return join(folder, "tests");
  const draft = `${folder}.draft`;
  rmSync(draft, { recursive: true, force: true });
  mkdirSync(draft, { recursive: true });
  const python = environment("pip", ["pip"]);
  await ran(python, ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "--ignore-requires-python", "--dest", draft, `Django==${release}`], draft);
  const archive = readdirSync(draft).find((name) => name.endsWith(".tar.gz"));
  if (archive === undefined) throw new Error(`There is no sdist of Django ${release}.`);
  await ran("tar", ["-xzf", archive, "--strip-components", "1"], draft);
  renameSync(draft, folder);
  return join(folder, "tests");
}

const MANAGE = `import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite_settings")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
`;

/** As tests/runtests.py and tests/test_sqlite.py of Django have it. */
const settings = (applications: readonly string[]): string => `import os
import warnings

import django
from django.utils.deprecation import RemovedAfterNextVersionWarning, RemovedInNextVersionWarning

warnings.simplefilter("error", RemovedInNextVersionWarning)
warnings.simplefilter("error", RemovedAfterNextVersionWarning)
os.environ["RUNNING_DJANGOS_TEST_SUITE"] = "true"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3"}}
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sites",
    "django.contrib.sessions",
    "django.contrib.messages",
    *${JSON.stringify(applications)},
]
SECRET_KEY = "django_tests_secret_key"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
MIGRATION_MODULES = {"auth": None, "contenttypes": None, "sites": None, "sessions": None}
ROOT_URLCONF = "urls"
SITE_ID = 1
USE_TZ = False
LANGUAGE_CODE = "en"
if django.VERSION < (6, 0):
    DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
`;

/** A project with these applications of Django's suite. */
export async function suiteProject(label: string, release: string, applications: readonly string[]): Promise<string> {
  const tests = await djangoTests(release);
  const folder = emptyProject(label);
  for (const name of applications) cpSync(join(tests, name), join(folder, name), { recursive: true });
  cpSync(join(tests, "urls.py"), join(folder, "urls.py"));
  writeFileSync(join(folder, "manage.py"), MANAGE);
  writeFileSync(join(folder, "suite_settings.py"), settings(applications));
  writeFileSync(join(folder, "wsgi.py"), 'import os\n\nfrom django.core.wsgi import get_wsgi_application\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "suite_settings")\napplication = get_wsgi_application()\n');
  writeFileSync(join(folder, "requirements.txt"), "Django>=5.2,<6.2\n");
  return folder;
}
