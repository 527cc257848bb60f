/** Installs a project's requirements, for the target and not for this machine. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { UserError } from "../contract/errors.ts";
import type { Cache } from "./cache.ts";
import { digest } from "./cache.ts";
import { buildPackage, buildWheel, findInstaller, missingIn, type Installation, type Installer, type Missing, type Outcome } from "./installers.ts";
import type { Progress } from "./progress.ts";
import type { Project } from "./project.ts";
import type { Target } from "./pyodide.ts";
import { isFor, isHashed, isSame, sourceOf } from "./requirements.ts";

/** Always there: the platform has no time zone database of its own. */
const ALWAYS = "tzdata";
const OLDEST_DJANGO = [5, 2] as const;

const NATIVE = /\.(?:so|pyd|dylib)$/;
const UNREACHABLE =
  /Failed to establish a new connection|Name or service not known|Temporary failure in name resolution|NewConnectionError|Max retries exceeded|Connection refused|Read timed out|ProxyError|dns error|error sending request|Could not connect|tunnel error|SSLError/i;

/**
 * A folder with the installed packages.
 *
 * @throws UserError `DOW_REQUIREMENT_HAS_NO_WHEEL`, `DOW_INDEX_UNREACHABLE`, `DOW_DJANGO_UNSUPPORTED`, `DOW_INSTALL_FAILED`, `DOW_NO_PYTHON`.
 */
export async function resolve({ requirements }: Project, target: Target, cache: Cache, progress: Progress): Promise<string> {
  const { lines, options: given, folder: root, from, excluded, lock } = requirements;
  const key = digest(lines.join("\n"), given.join("\n"), requirements.digest, excluded.join(), lock === undefined ? "" : readFileSync(lock), JSON.stringify(target));
  return cache.directory("packages", key, async (folder) => {
    const installer = findInstaller();
    progress.step(`Installing the packages of ${from} with ${installer.name}`);
    const temporary = mkdtempSync(join(cache.folder, "install-"));
    try {
      const [built, scratch] = [join(temporary, "built"), join(temporary, "scratch")];
      for (const path of [built, scratch]) mkdirSync(path);
      const options = { target, folder, root, options: given, excluded, built, scratch };
      await install(installer, { ...options, requirements: lock === undefined ? lines : await locked(installer, lines, root, progress) }, from, progress);
      // By itself: where the requirements have hashes, all that are installed with them must have one.
      if (!existsSync(join(folder, ALWAYS))) await install(installer, { ...options, requirements: [ALWAYS] }, from, progress);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    check(folder, from);
  });
}

/** The versions that uv.lock has, where there is a uv to tell them. */
async function locked(installer: Installer, lines: readonly string[], root: string, progress: Progress): Promise<readonly string[]> {
  if (installer.locked === undefined) {
    progress.warn("Without uv, uv.lock is not read: versions are the newest that pyproject.toml allows.");
    return lines;
  }
  const { ok, output } = await installer.locked(root);
  if (!ok) throw new UserError("DOW_INSTALL_FAILED", "uv can't read uv.lock. Write it again with: uv lock", tail(output));
  return output.split("\n").map((line) => line.replace(/^-e /, ""));
}

/**
 * Installs wheels; what has none in pure Python is built from its source. What that gives none of is left out, to find what
 * else there is none of: all of it is named then.
 */
async function install(installer: Installer, options: Installation, from: string, progress: Progress): Promise<void> {
  const [tried, unusable] = [new Set<string>(), new Set<string>()];
  let requirements = await withWheels(installer, options, from, progress);
  let details = "";
  for (;;) {
    rmSync(options.scratch, { recursive: true, force: true });
    mkdirSync(options.scratch);
    const { ok, output } = await installer.install({ ...options, requirements, excluded: [...options.excluded, ...unusable] });
    if (ok && unusable.size === 0) return;
    if (!ok && UNREACHABLE.test(output)) {
      throw new UserError("DOW_INDEX_UNREACHABLE", `The package index can't be reached. Check the network, or ${installer.name}'s configuration of an index or proxy.`, tail(output));
    }
    const missing = ok ? [] : missingIn(output).filter(({ name }) => !unusable.has(name));
    if (missing.length === 0 && unusable.size > 0) throw unusableError([...unusable], from, options.target, details);
    if (missing.length === 0) throw new UserError("DOW_INSTALL_FAILED", `${installer.name} could not install the packages of ${from}.`, tail(output));
    for (const wanted of missing) {
      const { name } = wanted;
      const outcome = tried.has(name) ? { ok: false, output } : await made(installer, wanted, { ...options, requirements }, progress);
      tried.add(name);
      if (outcome.ok) {
        requirements = requirements.map((line) => (isHashed(line) && isFor(name, line) ? [line, ...hashesOf(name, options.built)].join(" ") : line));
      } else {
        unusable.add(name);
        details ||= outcome.output;
      }
    }
  }
}

function made(installer: Installer, wanted: Missing, options: Installation, progress: Progress): Promise<Outcome> {
  progress.step(`Building ${wanted.name} from its source, because it has no wheel in pure Python`);
  return buildPackage(installer, wanted, options);
}

/** The requirements, with wheels in the place of folders, archives of sources, and repositories. */
async function withWheels(installer: Installer, options: Installation, from: string, progress: Progress): Promise<readonly string[]> {
  const requirements: string[] = [];
  for (const line of options.requirements) {
    const source = sourceOf(line);
    if (source === undefined) {
      requirements.push(line);
      continue;
    }
    progress.step(`Building ${source.of}`);
    const before = readdirSync(options.built);
    const { ok, output } = await buildWheel(installer, source.of, options);
    const wheel = readdirSync(options.built).find((name) => !before.includes(name));
    if (!ok || wheel === undefined) throw new UserError("DOW_INSTALL_FAILED", `No wheel in pure Python can be made of ${source.of} (from ${from}).`, tail(output));
    requirements.push(source.as(join(options.built, wheel)));
  }
  return requirements;
}

/** As a requirement has the hash of what may be installed for it, for the wheels of a package. */
const hashesOf = (name: string, folder: string): string[] =>
  readdirSync(folder)
    .filter((wheel) => isSame(name, wheel.split("-")[0] as string))
    .map((wheel) => `--hash=sha256:${createHash("sha256").update(readFileSync(join(folder, wheel))).digest("hex")}`);

function unusableError(names: readonly string[], from: string, { python }: Target, details: string): UserError {
  const [subject, object] = names.length > 1 ? ["They", "them"] : ["It", "it"];
  return new UserError(
    "DOW_REQUIREMENT_HAS_NO_WHEEL",
    `${names.join(", ")} (from ${from}): there is no wheel that runs here, and the source gives none. ${subject} must be pure Python, and support Python ${python}. ` +
      `Replace ${object}, or leave out what the project works without: [tool.django-on-workers] exclude-dependencies = ${JSON.stringify(names)} in pyproject.toml.`,
    // Of several it would be of the first.
    names.length > 1 ? undefined : tail(details),
  );
}

/** Refuses what has been installed if it can't run. */
function check(folder: string, from: string): void {
  const native = readdirSync(folder, { recursive: true, encoding: "utf8" }).find((path) => NATIVE.test(path));
  if (native !== undefined) {
    throw new UserError(
      "DOW_REQUIREMENT_HAS_NO_WHEEL",
      `${native} is native code, which can't be loaded yet. Use a release or an alternative of that package that is pure Python.`,
    );
  }
  const django = readdirSync(folder).flatMap((name) => /^django-(\d+)\.(\d+)\S*\.dist-info$/i.exec(name) ?? []);
  if (django.length === 0) throw new UserError("DOW_NO_REQUIREMENTS", `Django is not among the packages of ${from}. Add it there.`);
  const [major, minor] = [Number(django[1]), Number(django[2])];
  if (major < OLDEST_DJANGO[0] || (major === OLDEST_DJANGO[0] && minor < OLDEST_DJANGO[1])) {
    throw new UserError("DOW_DJANGO_UNSUPPORTED", `${from} asks for Django ${major}.${minor}; ${OLDEST_DJANGO.join(".")} or later is needed here. See https://docs.djangoproject.com/en/stable/howto/upgrade-version/`);
  }
}

const tail = (text: string): string => text.trim().split("\n").slice(-12).join("\n");
