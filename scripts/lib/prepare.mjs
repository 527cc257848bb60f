/**
 * Brings a clone to the point where its TypeScript can run: prerequisites, node modules, the package's own build. Runs
 * on the oldest Node that is supported, before anything is installed; each step does nothing where nothing is missing.
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Refusal, step } from "./terminal.mjs";

export const root = fileURLToPath(new URL("../../", import.meta.url)).replace(/[\\/]$/, "");
const packageFolder = join(root, "packages", "django-on-workers");

const NODE = /** @type {const} */ ([20, 20]);
const PYTHON = "3.11";

export function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > NODE[0] || (major === NODE[0] && minor >= NODE[1])) return;
  throw new Refusal(`Node ${process.versions.node} is too old: install Node ${NODE.join(".")} or later, see nodejs.org.`);
}

/** @param {string} program @param {string[]} args */
const works = (program, args) => spawnSync(program, args, { stdio: "ignore" }).status === 0;

const RECENT = `import sys; sys.exit(sys.version_info < (${PYTHON.replace(".", ", ")}))`;

/** The machine's Python that is recent enough, or nothing. */
export const findPython = () => ["python3", "python"].find((name) => works(name, ["-c", RECENT]));
export const hasUv = () => works("uv", ["--version"]);

export function checkPython() {
  if (hasUv()) return;
  const python = findPython();
  if (python === undefined) {
    throw new Refusal(`There is no Python ${PYTHON} or later (python3) and no uv: install one of them, see python.org or docs.astral.sh/uv.`);
  }
  if (!works(python, ["-m", "pip", "--version"])) {
    throw new Refusal(`${python} has no pip: install it with "${python} -m ensurepip", or your system's python3-pip package, or install uv.`);
  }
}

/** @param {string} path */
const readJson = (path) => JSON.parse(readFileSync(path, "utf8"));

/** Whether node_modules holds what package-lock.json names; npm keeps its own account of it. */
function modulesAre() {
  const account = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(account)) return existsSync(join(root, "node_modules")) ? "stale" : "missing";
  const wanted = readJson(join(root, "package-lock.json")).packages;
  const present = readJson(account).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    // A workspace's own folder is no installed package; an optional one may be for another machine.
    if (!path.includes("node_modules/") || entry.optional) continue;
    const found = present[path];
    if (found === undefined || found.version !== entry.version || !existsSync(join(root, path))) return "stale";
  }
  return "current";
}

/** @param {string} program @param {string[]} args @param {string} cwd */
function capture(program, args, cwd) {
  const found = spawnSync(program, args, { cwd, encoding: "utf8", maxBuffer: 2 ** 26, shell: process.platform === "win32" });
  return { status: found.status, output: `${found.stdout ?? ""}${found.stderr ?? ""}${found.error ?? ""}` };
}

export const UNREACHABLE = /ENOTFOUND|ECONNREFUSED|EAI_AGAIN|ETIMEDOUT|ECONNRESET|ENETUNREACH|network/i;

export function installModules() {
  const state = modulesAre();
  if (state === "current") return;
  const command = state === "missing" ? "ci" : "install";
  step(`Installing node modules (npm ${command})`);
  const { status, output } = capture("npm", [command, "--no-audit", "--no-fund", "--loglevel", "error"], root);
  if (status === 0) return;
  if (UNREACHABLE.test(output)) throw new Refusal("The npm registry can't be reached: check the network, or npm's configuration of a registry or proxy.");
  throw new Refusal(`npm ${command} failed:\n${output.trim()}`);
}

/** The Node that comes as a dependency; Wrangler and the build need a newer one than the oldest that is supported. */
export function newNode() {
  const folder = dirname(createRequire(join(packageFolder, "package.json")).resolve("node/package.json"));
  return join(folder, "bin", process.platform === "win32" ? "node.exe" : "node");
}

function sourceHash() {
  const hash = createHash("sha256");
  const configurations = ["tsconfig.base.json", "tsconfig.node.json", "tsconfig.worker.json"].map((name) => join(packageFolder, name));
  const sources = readdirSync(join(packageFolder, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  hash.update(readJson(join(root, "node_modules", "typescript", "package.json")).version);
  for (const path of [...configurations, ...sources]) hash.update(path.slice(packageFolder.length)).update("\0").update(readFileSync(path)).update("\0");
  return hash.digest("hex");
}

/** Compiles the package's TypeScript where its sources have changed since. */
export function buildPackage() {
  const dist = join(packageFolder, "dist");
  const stamp = join(dist, ".sources");
  const hash = sourceHash();
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === hash) return;
  step("Compiling the package's TypeScript");
  // Compiled beside and put in place when whole: modules of deleted sources are gone, and who reads dist finds all of it.
  const draft = `${dist}.${process.pid}.draft`;
  const old = `${dist}.${process.pid}.old`;
  try {
    for (const project of ["tsconfig.node.json", "tsconfig.worker.json"]) {
      const { status, output } = capture(process.execPath, [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", project, "--outDir", draft], packageFolder);
      if (status !== 0) throw new Refusal(`The package's TypeScript does not compile:\n${output.trim()}`);
    }
    writeFileSync(join(draft, ".sources"), hash);
    if (existsSync(dist)) renameSync(dist, old);
    renameSync(draft, dist);
  } finally {
    for (const folder of [draft, old]) rmSync(folder, { recursive: true, force: true });
  }
}

/** Everything up to where TypeScript runs. */
export function prepare() {
  checkNode();
  checkPython();
  installModules();
  buildPackage();
}

/**
 * Runs a TypeScript file under the newer Node, with this process's terminal; resolves with its exit code. A signal that
 * reaches only this process is passed on; one from the terminal reaches the child by itself.
 * @param {string} file @param {string[]} args @returns {Promise<number>}
 */
export async function runTypeScript(file, args) {
  const orphan = pathToFileURL(join(packageFolder, "dist", "cli", "orphan.js")).href;
  // For this process too: npm that is killed by its id tells nobody.
  await import(orphan);
  return new Promise((resolve, reject) => {
    const child = spawn(newNode(), ["--import", orphan, join(root, file), ...args], { stdio: "inherit", cwd: root });
    for (const signal of /** @type {NodeJS.Signals[]} */ (["SIGINT", "SIGTERM", "SIGHUP"])) process.on(signal, () => child.kill(signal));
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 1)));
  });
}
