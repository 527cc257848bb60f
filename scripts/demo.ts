/** Builds the example, fills its database on the first start, and serves it. Started by start.mjs, under the newer Node. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { build, type Build } from "../packages/django-on-workers/dist/build/index.js";
import { manage } from "../packages/django-on-workers/dist/build/local.js";
import { freePort, run as dev } from "../packages/django-on-workers/dist/cli/dev.js";
import { buildOptions, parse, projectHelp, projectOptions } from "../packages/django-on-workers/dist/cli/options.js";
import { reportError, say } from "../packages/django-on-workers/dist/cli/terminal.js";
import { root } from "./lib/prepare.mjs";

const HELP = `npm start: builds examples/blog and serves it on this machine

  npm start -- --database d1

  --port N            8787 by default, or the variable PORT
${projectHelp}`;

const EXAMPLE = join(root, "examples", "blog");
const USER = "admin";

/** One command, and so one start of the interpreter, for all that the database needs. */
const FILL = `
import json, sys
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

def step(text):
    print(f"› {text} …", file=sys.stderr)

executor = MigrationExecutor(connection)
pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
if pending:
    step(f"Applying {len(pending)} migrations")
    call_command("migrate", verbosity=0, interactive=False)
users = get_user_model().objects
if not users.exists():
    step("Loading the demo data")
    call_command("loaddata", "demo", verbosity=0)
given = json.loads(GIVEN)
if not users.filter(username=given["user"]).exists():
    step(f"Creating the superuser {given['user']}")
    users.create_superuser(given["user"], given["user"] + "@example.com", given["password"])
`;

/** The superuser's password lies beside the data that it belongs to, and outside what is committed. */
function password(build: Build): string {
  const file = join(build.project.root, ".wrangler", "demo-password");
  if (existsSync(file)) return readFileSync(file, "utf8").trim();
  const made = randomBytes(9).toString("base64url");
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${made}\n`, { mode: 0o600 });
  return made;
}

/** Applies migrations, loads the demo data into an empty database, makes sure of the superuser. */
async function fill(built: Build): Promise<string> {
  const secret = password(built);
  const code = `GIVEN = ${JSON.stringify(JSON.stringify({ user: USER, password: secret }))}\n${FILL}`;
  const status = await manage(built, ["shell", "--no-imports", "--command", code], {
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
  });
  if (status !== 0) throw new Error("The example's database could not be filled; what went wrong is above.");
  return secret;
}

/** Waits for the first answer; false when `signal` ends the wait. */
async function answered(url: string, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    try {
      await (await fetch(url, { signal })).arrayBuffer();
      return true;
    } catch {
      await setTimeout(200);
    }
  }
  return false;
}

async function run(args: string[]): Promise<number> {
  const values = parse(args, { ...projectOptions, port: { type: "string" } }, "dev");
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  // Before the long steps: a port that is taken would spoil them.
  const port = String(await freePort(values.port ?? process.env["PORT"] ?? "8787"));
  const root = values.project ?? EXAMPLE;
  const secret = await fill(await build({ ...buildOptions(values), root }));
  const options = [values.database && `--database=${values.database}`, values.interface && `--interface=${values.interface}`];
  const serving = dev([`--project=${root}`, `--port=${port}`, ...options.filter((option) => option !== undefined)]);
  // Below the long list of modules that Wrangler prints, where it is seen.
  const ended = new AbortController();
  void answered(`http://127.0.0.1:${port}/robots.txt`, ended.signal).then((ready) => {
    if (ready) say(`\n  The site    http://localhost:${port}/\n  The admin   http://localhost:${port}/admin/   name ${USER}, password ${secret}\n  Ctrl-C ends both.\n`);
  });
  return serving.finally(() => ended.abort());
}

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  reportError(error);
  process.exitCode = 1;
}
