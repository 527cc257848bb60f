/** The command line: finds the command, turns errors into exit codes. Nothing else ends the process. */
import { version } from "../build/modules.ts";
import { UserError } from "../contract/errors.ts";
import { reportError, say } from "./terminal.ts";

export interface Command {
  /** Returns the exit code. */
  run(args: string[]): Promise<number>;
}

const COMMANDS: Record<string, { summary: string; load: () => Promise<Command> }> = {
  build: { summary: "builds the project into a Worker", load: () => import("./build.ts") },
  dev: { summary: "builds the project and serves it on this machine, again after each change", load: () => import("./dev.ts") },
  manage: { summary: "runs a management command, against the local database or the deployed one", load: () => import("./manage.ts") },
  deploy: { summary: "builds the project and deploys it with wrangler deploy", load: () => import("./deploy.ts") },
};

const HELP = `django-on-workers ${version}: real Django projects on Cloudflare Workers

Usage: django-on-workers COMMAND [options]

${Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(10)}${summary}`).join("\n")}

Each command has --help. Run it in the folder of a project's manage.py.`;

/** What the machine refuses and its user can mend. https://nodejs.org/api/errors.html#common-system-errors */
const REFUSALS: Record<string, string> = {
  ENOSPC: "the disk is full: make room on it",
  EDQUOT: "your quota on this disk is used up: make room",
  EROFS: "the disk is read-only: build in a folder that can be written to",
  EACCES: "permission is denied: make the project's folder yours to write to",
  EPERM: "permission is denied: make the project's folder yours to write to",
  EEXIST: "it is a file where a folder belongs: move it away",
  ENOTDIR: "a part of its path is a file where a folder belongs: move that away",
  EMFILE: "too many files are open: raise the limit with ulimit -n",
};

/** An error of the file system as a sentence; any other as it is. */
export function understood(error: unknown): unknown {
  const { code, path } = (error ?? {}) as NodeJS.ErrnoException;
  const reason = code === undefined ? undefined : REFUSALS[code];
  if (reason === undefined) return error;
  return new UserError("DOW_FILE_SYSTEM", `${path ? `${path} can't be used` : "A file can't be written"}, because ${reason}, and run the command again. Nothing half-written is kept.`);
}

export async function main(args: string[]): Promise<void> {
  const [name, ...rest] = args;
  try {
    if (name === undefined || name === "--help" || name === "-h" || name === "help") {
      process.stdout.write(`${HELP}\n`);
      process.exitCode = name === undefined ? 2 : 0;
    } else if (name === "--version") {
      process.stdout.write(`${version}\n`);
    } else {
      const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
      if (!command) throw new UserError("DOW_USAGE", `There is no command ${name}; there are ${Object.keys(COMMANDS).join(", ")}.`);
      process.exitCode = await (await command.load()).run(rest);
    }
  } catch (error) {
    reportError(understood(error));
    process.exitCode = error instanceof UserError && error.code === "DOW_USAGE" ? 2 : 1;
  }
  if (process.exitCode !== 0) say("");
}
