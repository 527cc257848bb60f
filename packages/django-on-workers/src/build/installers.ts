/** uv and pip: installing wheels for another Python and platform than this machine's. */
import { spawn, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/errors.ts";
import type { Target } from "./pyodide.ts";
import { isFor, isHashed } from "./requirements.ts";

/** A package without a usable wheel, as an installer's output names it. */
export interface Missing {
  name: string;
  /** With its versions, where the output tells them: `PyYAML>=5.1` */
  requirement: string;
}

export interface Installation {
  target: Target;
  /** Where the packages go. */
  folder: string;
  /** As in a requirements file; paths are relative to `root`. */
  requirements: readonly string[];
  /** More options, see `Requirements`. */
  options: readonly string[];
  root: string;
  /** Packages that are left out, whatever asks for them. */
  excluded: readonly string[];
  /** A folder of wheels that {@link buildWheel} and {@link buildPackage} have made. */
  built: string;
  /** An empty folder. */
  scratch: string;
}

export interface Outcome {
  ok: boolean;
  /** All that was printed. */
  output: string;
}

export interface Installer {
  name: string;
  /** Installs wheels, and no others than those in pure Python. */
  install(options: Installation): Promise<Outcome>;
  /** Writes the versions of the project's uv.lock to its output, as in a requirements file; for those that can. */
  locked?(root: string): Promise<Outcome>;
  /** A Python of this machine that has pip. */
  python: readonly [program: string, ...args: string[]];
}

/**
 * No compiler, for source distributions: a package whose native code is optional, as PyYAML's and MarkupSafe's is, then
 * gives a wheel in pure Python, and the others fail at once instead of after minutes.
 */
const NO_COMPILER = { CC: "false", CXX: "false", FC: "false", RUSTC: "false", CARGO: "false", MATURIN_NO_INSTALL_RUST: "1" };

function works(program: string, args: string[]): boolean {
  return spawnSync(program, args, { stdio: "ignore" }).status === 0;
}

function run(program: string, args: string[], cwd: string, environment: Record<string, string> = {}): Promise<Outcome> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { cwd, env: { ...process.env, ...environment }, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const add = (chunk: Buffer): void => {
      output += chunk.toString("utf8");
    };
    child.stdout.on("data", add);
    child.stderr.on("data", add);
    child.on("error", fail);
    child.on("close", (status) => done({ ok: status === 0, output }));
  });
}

/** A file of these lines in a folder; its path. */
function written(folder: string, name: string, lines: readonly string[]): string {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => `${line}\n`).join(""));
  return path;
}

const uv: Installer = {
  name: "uv",
  install: ({ target, folder, requirements, options, root, excluded, built, scratch }) =>
    run(
      "uv",
      [
        "pip", "install", "--target", folder, "--only-binary", ":all:", "--find-links", built, "--python-version", target.python,
        "--python-platform", "wasm32-pyodide2024", "--no-progress", "--requirement", written(scratch, "requirements.txt", requirements),
        // uv warns of a file without any.
        ...(excluded.length > 0 ? ["--override", written(scratch, "overrides.txt", excluded.map((name) => `${name}; python_version < "0"`))] : []), ...options,
      ],
      root,
    ),
  locked: (root) =>
    run("uv", ["export", "--frozen", "--no-default-groups", "--no-emit-project", "--no-hashes", "--no-header", "--no-annotate", "--quiet"], root),
  python: ["uv", "run", "--no-project", "--with", "pip", "python"],
};

/**
 * Resolving for another Python than pip's own. `pip download` looks at the target's version and tags, but evaluates
 * environment markers for the Python that runs it; this makes it evaluate them for the target too. `pip install` does
 * neither, so it gets only the wheels that were downloaded. Packages that are left out are ones whose markers are not met.
 */
const INSTALL = `
import glob, os, sys
from pip._internal.req.req_install import InstallRequirement
from pip._vendor.packaging import markers
from pip._vendor.packaging.utils import canonicalize_name
version, folder, wheels, built, requirements, excluded, *tags = sys.argv[1:]
default = markers.default_environment
markers.default_environment = lambda: default() | {
    "implementation_name": "cpython", "implementation_version": version + ".0", "os_name": "posix",
    "platform_machine": "wasm32", "platform_python_implementation": "CPython", "platform_release": "",
    "platform_system": "Emscripten", "platform_version": "", "python_full_version": version + ".0",
    "python_version": version, "sys_platform": "emscripten",
}
matches = InstallRequirement.match_markers
excluded = {canonicalize_name(name) for name in excluded.split()}
InstallRequirement.match_markers = lambda self, *args: canonicalize_name(self.name or "") not in excluded and matches(self, *args)
from pip._internal.cli.main import main
common = ["--only-binary", ":all:", "--no-input", "--disable-pip-version-check", *tags]
status = main(["download", "--dest", wheels, "--find-links", built, "--retries", "2", "--requirement", requirements, *common])
if status == 0:
    found = glob.glob(os.path.join(glob.escape(wheels), "*.whl"))
    alone = ["--no-deps", "--no-index", "--no-compile", "--ignore-requires-python"]
    status = main(["install", "--target", folder, *alone, *common, *found])
sys.exit(status)
`;

const pip = (python: string): Installer => ({
  name: "pip",
  install: ({ target, folder, requirements, options, root, excluded, built, scratch }) =>
    run(
      python,
      [
        "-c", INSTALL, target.python, folder, join(scratch, "wheels"), built, written(scratch, "requirements.txt", requirements), excluded.join(" "),
        "--implementation", "cp", "--python-version", target.python,
        // Many a package has a wheel for this target and one that is pure Python: native code can't be loaded.
        "--abi", "none", "--platform", "any", ...options,
      ],
      root,
    ),
  python: [python],
});

/**
 * Without pip's cache, which may have a wheel of the same source with native code, and is not to have this one. A wheel
 * that could have native code is named for this machine even if it has none, and installers look at names only; whether
 * it has none is seen when all is installed.
 */
const BUILD = `
import os, sys
from pip._internal.cli.main import main
built, requirements, *options = sys.argv[1:]
common = ["--no-deps", "--no-cache-dir", "--no-input", "--disable-pip-version-check"]
before = set(os.listdir(built))
status = main(["wheel", *common, *options, "--wheel-dir", built, "--requirement", requirements])
for wheel in set(os.listdir(built)) - before:
    pure = "-".join(wheel.split("-")[:2]) + "-py3-none-any.whl"
    os.rename(os.path.join(built, wheel), os.path.join(built, pure))
sys.exit(status)
`;

/** Makes a wheel of a requirement that is a folder, an archive of sources, or in a repository. */
export function buildWheel({ python: [program, ...args] }: Installer, requirement: string, { root, built, scratch }: Installation, options: readonly string[] = []): Promise<Outcome> {
  return run(program, [...args, "-c", BUILD, built, written(scratch, "source.txt", [requirement]), ...options], root, NO_COMPILER);
}

/** Makes a wheel of a package's source distribution. It has to be one whose hash the requirements have, if they have hashes. */
export function buildPackage(installer: Installer, { name, requirement }: Missing, options: Installation): Promise<Outcome> {
  const hashed = options.requirements.find((line) => isHashed(line) && isFor(name, line));
  return buildWheel(installer, hashed ?? requirement, options, ["--no-binary", name]);
}

/** uv where there is one, or pip. Throws `DOW_NO_PYTHON` where there is neither. */
export function findInstaller(): Installer {
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

const PIP_LACKS = /No matching distribution found for ([^;\n]+?)\s*(?:;.*|\(from .*)?$/m;
/** uv gives a hint for each that it would have built or that has wheels for other platforms, and tells the versions in how it came to that. */
const UV_LACKS = /Wheels are (?:required for `([\w.-]+)` because building from source is disabled|available for `([\w.-]+)` \(\S+\) on the following platforms)/g;
const UV_VERSIONS = /(?:([\w.-]+)([<>=!~]\S+) has no usable wheels|you require ([\w.-]+)(?:\{[^}]*\})?([<>=!~]\S*[\w*]))/g;

/** The packages for want of whose wheels an installation failed, if that is why. */
export function missingIn(output: string): Missing[] {
  const versions = new Map([...output.matchAll(UV_VERSIONS)].map(([, needed, range, required, wanted]) => [needed ?? required, range ?? wanted]));
  const hinted = [...output.matchAll(UV_LACKS)].map(([, sources, wheels]) => `${sources ?? wheels}${versions.get(sources ?? wheels) ?? ""}`);
  const requirements = [PIP_LACKS.exec(output)?.[1] ?? neededByAll(output), ...hinted];
  return requirements.flatMap((requirement) => {
    const name = /^[\w.-]+/.exec(requirement ?? "")?.[0];
    return requirement === undefined || name === undefined ? [] : [{ name, requirement }];
  });
}

/** What each version of one package that pip has tried depends on: pip takes it for a conflict that this has no wheel. */
function neededByAll(output: string): string | undefined {
  const found = [...output.matchAll(/^\s+([\w.-]+)(?:\[\S*\])? \S+ depends on (([\w.-]+)\S*)/gm)];
  const [packages, needed] = [1, 3].map((group) => new Set(found.map((match) => match[group])));
  // Newest first.
  return packages?.size === 1 && needed?.size === 1 ? found[0]?.[2] : undefined;
}
