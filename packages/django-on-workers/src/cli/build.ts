import { build, SIZE_LIMIT, type Sizes } from "../build/index.ts";
import { buildOptions, parse, projectHelp, projectOptions } from "./options.ts";
import { say } from "./terminal.ts";

const HELP = `django-on-workers build: builds the project into .django-on-workers/

What it writes is a Worker that plain "npx wrangler dev" serves and "npx wrangler deploy" deploys.

  --level N           how hard the image is packed, 1 to 22; 9 by default
${projectHelp}`;

export async function run(args: string[]): Promise<number> {
  const values = parse(args, { ...projectOptions, level: { type: "string" } }, "build");
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const level = values.level === undefined ? {} : { level: Number(values.level) };
  const { sizes, facts } = await build({ ...buildOptions(values), ...level, sources: false });
  say(`Django ${facts.django}`);
  process.stdout.write(table(sizes));
  return 0;
}

const mebibytes = (bytes: number): string => (bytes / 2 ** 20).toFixed(2).padStart(8);

export function table(sizes: Sizes): string {
  const rows: [string, string][] = [
    ["wasm", mebibytes(sizes.wasm)],
    ["image", mebibytes(sizes.image)],
    ["bytecode", mebibytes(sizes.bytecode)],
    ["JavaScript", mebibytes(sizes.javascript)],
    ["total", `${mebibytes(sizes.total)}   of ${SIZE_LIMIT / 2 ** 20} MiB, ${((100 * sizes.total) / SIZE_LIMIT).toFixed(0)} %`],
    ["assets", `${mebibytes(sizes.assets)}   not counted`],
  ];
  return `${rows.map(([name, text]) => `${name.padEnd(12)}${text}`).join("\n")}\n`;
}
