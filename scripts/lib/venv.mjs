/** Python environments below .venv/: made when missing, kept by what is in them. */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findPython, hasUv, root } from "./prepare.mjs";
import { Refusal, step } from "./terminal.mjs";

/** @param {string} python @returns {[number, number] | undefined} */
function versionOf(python) {
  const found = spawnSync(python, ["-c", "import sys; print(*sys.version_info[:2])"], { encoding: "utf8" });
  if (found.status !== 0) return undefined;
  const [major = 0, minor = 0] = found.stdout.trim().split(" ").map(Number);
  return [major, minor];
}

/** Pythons of this machine that are recent enough, newest first. @returns {{ python: string, minor: number }[]} */
export function pythons() {
  const managed = process.env["PYENV_ROOT"] ?? join(homedir(), ".pyenv");
  const versions = join(managed, "versions");
  const candidates = [
    ...["python3.14", "python3.13", "python3.12", "python3.11", "python3", "python"],
    ...(existsSync(versions) ? readdirSync(versions).map((name) => join(versions, name, "bin", "python3")) : []),
  ];
  const found = new Map();
  for (const python of candidates) {
    const version = versionOf(python);
    if (version?.[0] === 3 && version[1] >= 11 && !found.has(version[1])) found.set(version[1], python);
  }
  return [...found].map(([minor, python]) => ({ minor, python })).sort((a, b) => b.minor - a.minor);
}

/** @param {string} program @param {string[]} args */
function run(program, args) {
  const found = spawnSync(program, args, { encoding: "utf8", cwd: root });
  if (found.status === 0) return;
  const output = `${found.stdout ?? ""}${found.stderr ?? ""}${found.error ?? ""}`.trim();
  if (/Failed to establish a new connection|Max retries exceeded|Connection refused|dns error|error sending request/i.test(output)) {
    throw new Refusal("The Python package index can't be reached: check the network, or pip's configuration of an index or proxy.");
  }
  throw new Refusal(`${program} ${args.join(" ")} failed:\n${output}`);
}

/**
 * The interpreter of an environment with these requirements; made with the machine's own Python or the one that is named.
 * @param {string} name @param {string[]} requirements @param {string} [python]
 */
export function environment(name, requirements, python = findPython()) {
  const folder = join(root, ".venv", name);
  const program = process.platform === "win32" ? ["Scripts", "python.exe"] : ["bin", "python"];
  const wanted = `${python ?? "uv"}\n${requirements.join("\n")}\n`;
  const isThere = () => {
    const stamp = join(folder, "requirements.txt");
    return existsSync(join(folder, ...program)) && existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  };
  if (isThere()) return join(folder, ...program);
  // Made beside and renamed: two files of tests may want the same at once.
  const draft = `${folder}.${process.pid}`;
  const interpreter = join(draft, ...program);
  step(`Installing ${requirements.join(", ")} for the tests`);
  try {
    if (hasUv()) {
      run("uv", ["venv", "--quiet", "--clear", ...(python ? ["--python", python] : []), draft]);
      run("uv", ["pip", "install", "--quiet", "--python", interpreter, ...requirements]);
    } else {
      // Debian's Python has no ensurepip of its own; its pip can install into an environment that has none.
      const given = /** @type {string} */ (python);
      run(given, ["-m", "venv", "--clear", "--without-pip", draft]);
      run(findPython() ?? given, ["-m", "pip", "--python", interpreter, "install", "--quiet", "--no-input", "--disable-pip-version-check", ...requirements]);
    }
    writeFileSync(join(draft, "requirements.txt"), wanted);
    if (!isThere()) {
      rmSync(folder, { recursive: true, force: true });
      renameSync(draft, folder);
    }
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  return join(folder, ...program);
}
