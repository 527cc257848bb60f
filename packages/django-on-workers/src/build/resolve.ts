/** Installs a project's requirements, for the target and not for this machine, with uv or pip. */
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/errors.ts";
import type { Cache } from "./cache.ts";
import { digest } from "./cache.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import type { Target } from "./pyodide.ts";

/** tzdata is always there: the platform has no time zone database of its own. */
const ALWAYS = ["tzdata"];

/**
 * Resolving for another Python than pip's own. `pip download` looks at the target's version and tags, but evaluates
 * environment markers for the Python that runs it; this makes it evaluate them for the target too. `pip install` does
 * neither, so it gets only the wheels that were downloaded.
 */
const PIP = `
import glob, os, sys
from pip._vendor.packaging import markers
version, folder, wheels, requirements, *tags = sys.argv[1:]
default = markers.default_environment
markers.default_environment = lambda: default() | {
    "implementation_name": "cpython", "implementation_version": version + ".0", "os_name": "posix",
    "platform_machine": "wasm32", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Emscripten", "platform_version": "", "python_full_version": version + ".0",
    "python_version": version, "sys_platform": "emscripten",
}
from pip._internal.cli.main import main
common = ["--only-binary", ":all:", "--no-input", "--disable-pip-version-check", *tags]
status = main(["download", "--dest", wheels, "--retries", "2", "--requirement", requirements, *common])
if status == 0:
    found = glob.glob(os.path.join(glob.escape(wheels), "*.whl"))
    alone = ["--no-deps", "--no-index", "--no-compile", "--ignore-requires-python"]
    status = main(["install", "--target", folder, *alone, *common, *found])
sys.exit(status)
`;

interface Installer {
  name: string;
  command(options: { target: Target; folder: string; wheels: string; file: string }): [program: string, args: string[]];
}

function works(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

const uv: Installer = {
  name: "uv",
  command: ({ target, folder, file }) => [
    "uv",
    [
      "pip", "install", "--target", folder, "--only-binary", ":all:", "--python-version", target.python,
      "--python-platform", "wasm32-pyodide2024", "--no-progress", "--requirement", file,
    ],
  ],
};

const pip = (python: string): Installer => ({
  name: "pip",
  command: ({ target, folder, wheels, file }) => [
    python,
    [
      "-c", PIP, target.python, folder, wheels, file, "--implementation", "cp", "--python-version", target.python,
      // Many a package has a wheel for this target and one that is pure Python: native code can't be loaded.
      "--abi", "none", "--platform", "any",
    ],
  ],
});

function findInstaller(): Installer {
  if (works("uv", ["--version"])) return uv;
  const pythons = ["python3", "python"];
  const usable = "import sys; sys.exit(sys.version_info < (3, 11))";
  const python = pythons.find((name) => works(name, ["-c", usable]));
  if (python === undefined) {
    throw new UserError("DOW_NO_PYTHON", "There is no Python 3.11 or later (python3) and no uv. Install one of them, see python.org or docs.astral.sh/uv.");
  }
  if (!works(python, ["-m", "pip", "--version"])) {
    throw new UserError("DOW_NO_PYTHON", `${python} has no pip. Install it with "${python} -m ensurepip", or your system's python3-pip package, or install uv.`);
  }
  return pip(python);
}

const NATIVE = /\.(?:so|pyd|dylib)$/;
const UNREACHABLE =
  /Failed to establish a new connection|Name or service not known|Temporary failure in name resolution|NewConnectionError|Max retries exceeded|Connection refused|Read timed out|ProxyError|dns error|error sending request|Could not connect|tunnel error|SSLError/i;
const NO_WHEEL = [
  /No matching distribution found for ([^\s;]+)/,
  /Could not find a version that satisfies the requirement ([^\s;]+)/,
  /Because ([^\s]+) has no wheels/i,
  /(?:distribution|wheel)s? (?:of|for) `?([\w.-]+)[^`]*`? (?:has|have) no (?:usable |matching )?wheels?/i,
  /([\w.-]+)(?:==\S+)? (?:has|have) no (?:usable |matching )?wheels/i,
];

/** A folder with the installed packages. */
export async function resolve(project: Project, target: Target, cache: Cache, progress: Progress): Promise<string> {
  const lines = [...project.requirements.split("\n"), ...ALWAYS].join("\n");
  const key = digest(lines, JSON.stringify(target));
  return cache.directory("packages", key, async (folder) => {
    const installer = findInstaller();
    progress.step(`Installing the packages of ${project.requirementsFrom} with ${installer.name}`);
    const scratch = mkdtempSync(join(cache.folder, "install-"));
    try {
      const file = join(scratch, "requirements.txt");
      writeFileSync(file, `${lines}\n`);
      const [program, args] = installer.command({ target, folder, wheels: join(scratch, "wheels"), file });
      // Relative paths in requirements mean the project's folder.
      const { status, output } = await collect(program, args, project.root);
      if (status !== 0) throw explain(output, project, target, installer.name);
      const native = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => NATIVE.test(path));
      if (native !== undefined) {
        throw new UserError(
          "DOW_REQUIREMENT_HAS_NO_WHEEL",
          `${native} is native code, which can't be loaded yet. Use a release or an alternative of that package that is pure Python.`,
        );
      }
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  });
}

/** What each version of one package that pip has tried depends on: pip takes it for a conflict that this has no wheel. */
function neededByAll(output: string): string | undefined {
  const found = [...output.matchAll(/^\s+([\w.-]+) \S+ depends on ([\w.-]+)/gm)];
  const [packages, needed] = [1, 2].map((group) => new Set(found.map((match) => match[group])));
  return packages?.size === 1 && needed?.size === 1 ? [...needed][0] : undefined;
}

function explain(output: string, project: Project, target: Target, installer: string): UserError {
  if (UNREACHABLE.test(output)) {
    return new UserError("DOW_INDEX_UNREACHABLE", `The package index can't be reached. Check the network, or ${installer}'s configuration of an index or proxy.`, tail(output));
  }
  const name = NO_WHEEL.map((pattern) => pattern.exec(output)?.[1]).find((found) => found !== undefined) ?? neededByAll(output);
  if (name !== undefined) {
    return new UserError(
      "DOW_REQUIREMENT_HAS_NO_WHEEL",
      `${name} (from ${project.requirementsFrom}) has no wheel that runs here: it must be pure Python, and support Python ${target.python}. Replace it, or make it optional where it is imported.`,
      tail(output),
    );
  }
  return new UserError("DOW_INSTALL_FAILED", `${installer} could not install the packages of ${project.requirementsFrom}.`, tail(output));
}

const tail = (text: string): string => text.trim().split("\n").slice(-12).join("\n");

function collect(program: string, args: string[], cwd: string): Promise<{ status: number | null; output: string }> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const add = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", fail);
    child.on("close", (status) => done({ status, output }));
  });
}
