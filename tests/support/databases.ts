/** tests/projects/databases with the Python tests of the backends, for both databases. */
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { Build, Database } from "../../packages/django-on-workers/dist/build/index.js";
import { writeVariables } from "./behaviour.ts";
import { buildProject, copyProject, root } from "./project.ts";

const PYTHON_TESTS = join(root, "packages", "django-on-workers", "python", "tests");

/** Variables of the project; another value of WIDE or STOP_AT takes effect without a build. */
export function writeDatabaseVariables(folder: string, variables: Record<string, string> = {}): void {
  writeVariables(folder, { SECRET_KEY: "a key for tests", WIDE: "no", STOP_AT: "0", TORTURE: "0", ...variables });
}

export async function buildDatabases(database: Database, label = `databases-${database}`): Promise<Build> {
  const folder = copyProject("databases", label);
  cpSync(join(PYTHON_TESTS, "__init__.py"), join(folder, "tests", "__init__.py"), { recursive: true });
  cpSync(join(PYTHON_TESTS, "db"), join(folder, "tests", "db"), {
    recursive: true,
    filter: (path) => !path.includes("__pycache__"),
  });
  writeDatabaseVariables(folder);
  return buildProject(folder, { database });
}
