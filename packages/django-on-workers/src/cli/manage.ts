import { text } from "node:stream/consumers";
import { build, readProject } from "../build/index.ts";
import { manage } from "../build/local.ts";
import { manageRemote } from "../build/remote.ts";
import type { CommandOptions } from "../build/commands.ts";
import { UserError } from "../contract/errors.ts";
import { buildOptions, parse, projectHelp, projectOptions } from "./options.ts";

const HELP = `django-on-workers manage [options] COMMAND …: runs a management command

The command runs inside the runtime, against the database that "dev" serves. Files that it writes in the project's
folder (makemigrations, dumpdata -o) are written there. Its exit code is this program's. Where its arguments have a "-",
for standard input, it gets what comes in there.

With --remote it runs in the deployed Worker, against that one's database.

  django-on-workers manage migrate
  django-on-workers manage --remote migrate
  django-on-workers manage createsuperuser --noinput --username ada --email ada@example.com
  django-on-workers manage test

Options come before the command:
  --remote            in the deployed Worker; Wrangler must be logged in
${projectHelp}`;

/** Options that take no value. */
const ALONE = new Set(["-h", "--help", "--remote"]);

/** Options up to the first word that is none: the rest is Django's. */
function split(args: string[]): [own: string[], argv: string[]] {
  let index = 0;
  while (index < args.length && args[index]?.startsWith("-")) {
    const option = args[index] as string;
    index += option.includes("=") || ALONE.has(option) ? 1 : 2;
  }
  return [args.slice(0, index), args.slice(index)];
}

export async function run(args: string[]): Promise<number> {
  const [own, argv] = split(args);
  const values = parse(own, { ...projectOptions, remote: { type: "boolean" } }, "manage");
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  if (argv.length === 0) throw new UserError("DOW_USAGE", "Name a management command, as in: django-on-workers manage migrate.");
  const options: CommandOptions = {
    stdout: (text) => process.stdout.write(text),
    stderr: (text) => process.stderr.write(text),
    ...(argv.includes("-") && { input: await text(process.stdin) }),
  };
  return values.remote ? manageRemote(readProject(buildOptions(values)), argv, options) : manage(await build(buildOptions(values)), argv, options);
}
