import { build } from "../build/index.ts";
import { table } from "./build.ts";
import { buildOptions, parse, projectHelp, projectOptions } from "./options.ts";
import { say } from "./terminal.ts";
import { startWrangler } from "./wrangler.ts";

const HELP = `django-on-workers deploy: builds the project and runs wrangler deploy

  --dry-run           everything but the upload
${projectHelp}`;

export async function run(args: string[]): Promise<number> {
  const values = parse(args, { ...projectOptions, "dry-run": { type: "boolean" } }, "deploy");
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const { project, sizes } = await build({ ...buildOptions(values), sources: false, deployed: true });
  process.stdout.write(table(sizes));
  const wrangler = ["deploy", ...(values["dry-run"] ? ["--dry-run"] : [])];
  const status = await startWrangler(wrangler, project.root).done;
  if (status === 0 && !values["dry-run"]) say("Bring its database up to date with: django-on-workers manage --remote migrate");
  return status;
}
