/** Options that several commands have. */
import { parseArgs, type ParseArgsOptionsConfig } from "node:util";
import type { BuildOptions } from "../build/index.ts";
import { UserError } from "../contract/errors.ts";
import type { Database, Interface } from "../contract/manifest.ts";
import { progress } from "./terminal.ts";

export const projectOptions = {
  project: { type: "string" },
  database: { type: "string" },
  interface: { type: "string" },
  help: { type: "boolean", short: "h" },
} as const satisfies ParseArgsOptionsConfig;

export const projectHelp = `  --project DIR       the folder with manage.py; the current one by default
  --database KIND     durable-object (default) or d1
  --interface KIND    wsgi (default) or asgi
  -h, --help          this text`;

export function parse<Options extends ParseArgsOptionsConfig>(args: string[], options: Options, command: string) {
  try {
    return parseArgs({ args, options, allowPositionals: false }).values;
  } catch (error) {
    throw new UserError("DOW_USAGE", `${(error as Error).message} See django-on-workers ${command} --help.`);
  }
}

interface Values {
  project?: string | undefined;
  database?: string | undefined;
  interface?: string | undefined;
}

function choice<Value extends string>(name: string, value: string | undefined, values: readonly Value[]): Value | undefined {
  if (value === undefined) return undefined;
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw new UserError("DOW_USAGE", `--${name} is ${value}; it must be ${values.join(" or ")}.`);
  return found;
}

export function buildOptions(values: Values): BuildOptions {
  const database = choice<Database>("database", values.database, ["durable-object", "d1"]);
  const kind = choice<Interface>("interface", values.interface, ["wsgi", "asgi"]);
  return {
    progress,
    ...(values.project === undefined ? {} : { root: values.project }),
    ...(database === undefined ? {} : { database }),
    ...(kind === undefined ? {} : { interface: kind }),
  };
}
