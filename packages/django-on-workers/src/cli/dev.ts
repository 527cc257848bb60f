import { createServer } from "node:net";
import { watch } from "node:fs";
import { build, projectFiles, type BuildOptions } from "../build/index.ts";
import { UserError } from "../contract/errors.ts";
import { buildOptions, parse, projectHelp, projectOptions } from "./options.ts";
import { reportError, say } from "./terminal.ts";
import { startWrangler } from "./wrangler.ts";

const HELP = `django-on-workers dev: builds the project and serves it with wrangler dev, again after each change

  --port N            8787 by default, or the variable PORT
${projectHelp}`;

export async function run(args: string[]): Promise<number> {
  const values = parse(args, { ...projectOptions, port: { type: "string" } }, "dev");
  if (values.help) {
    process.stdout.write(`${HELP}\n`);
    return 0;
  }
  const port = await freePort(values.port ?? process.env["PORT"] ?? "8787");
  const options = { ...buildOptions(values), sources: true };
  const { project } = await build(options);
  // The redirect that the build wrote makes Wrangler take the emitted configuration, and the project's folder for its data.
  const wrangler = startWrangler(["dev", "--ip", "127.0.0.1", "--port", String(port)], project.root);
  const stop = rebuildOnChange(project.root, options);
  // A terminal sends its signal to the whole group; one that is sent to this process alone is passed on.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => wrangler.stop(signal));
  try {
    return await wrangler.done;
  } finally {
    stop();
  }
}

export async function freePort(text: string): Promise<number> {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) throw new UserError("DOW_USAGE", `${text} is not a port; it must be a number from 1 to 65535.`);
  await new Promise<void>((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) =>
      reject(new UserError("DOW_PORT_TAKEN", error.code === "EACCES"
        ? `Port ${port} needs more rights than this process has; choose one above 1023 with --port or PORT.`
        : `Port ${port} is taken. Stop what listens there, or choose another with --port or PORT.`)),
    );
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve()));
  });
  return port;
}

const SETTLE_MS = 200;

/** Builds again when a file of the project changes; Wrangler reloads what that writes. */
function rebuildOnChange(root: string, options: BuildOptions): () => void {
  let timer: NodeJS.Timeout | undefined;
  let building = false;
  let again = false;
  const rebuild = async (): Promise<void> => {
    if (building) {
      again = true;
      return;
    }
    building = true;
    try {
      await build(options);
    } catch (error) {
      // The last good build goes on being served.
      reportError(error);
    }
    building = false;
    if (again) {
      again = false;
      await rebuild();
    }
  };
  const known = (): Set<string> => new Set([...projectFiles(root)].map(([path]) => path));
  let files = known();
  const watcher = watch(root, { recursive: true }, (_event, name) => {
    const path = name?.replaceAll("\\", "/");
    if (path !== undefined && !files.has(path)) {
      files = known();
      if (!files.has(path)) return;
    }
    clearTimeout(timer);
    timer = setTimeout(() => void rebuild(), SETTLE_MS);
  });
  watcher.on("error", (error) => say(`Changes are no longer watched: ${error.message}`));
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
