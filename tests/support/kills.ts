/** A migration whose process is killed at one of its steps, on the local data of tests/projects/databases. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import type { Build } from "../../packages/django-on-workers/dist/build/index.js";
import { manage } from "../../packages/django-on-workers/dist/build/local.js";
import { writeDatabaseVariables } from "./databases.ts";

/** Where D1's backend notes what an unfinished migration has done. */
const UNFINISHED = "django_on_workers_unfinished";
const PROGRAM = fileURLToPath(new URL("managed.ts", import.meta.url));

/** What the command `snapshot` tells of a database. */
export interface Snapshot {
  definitions: Record<string, string>;
  rows: Record<string, unknown[][]>;
  violations: unknown[];
}

/** Migrations that are run from a known state. */
export interface Course {
  argv: string[];
  /** What there is before them, and after each. */
  states: Snapshot[];
}

export interface Told {
  step: string;
  found: string;
}

/** A project whose local data are put aside and brought back. */
export class Killed {
  readonly build: Build;
  readonly #folder: string;

  constructor(build: Build) {
    this.build = build;
    this.#folder = join(build.project.root, ".kills");
    rmSync(this.#folder, { recursive: true, force: true });
    mkdirSync(this.state, { recursive: true });
  }

  get state(): string {
    return join(this.#folder, "state");
  }

  get #aside(): string {
    return join(this.#folder, "aside");
  }

  #keep(): void {
    rmSync(this.#aside, { recursive: true, force: true });
    cpSync(this.state, this.#aside, { recursive: true });
  }

  #bringBack(): void {
    rmSync(this.state, { recursive: true, force: true });
    cpSync(this.#aside, this.state, { recursive: true });
  }

  /** Runs a command to its end; fails where the command does. */
  async run(...argv: string[]): Promise<string> {
    let [stdout, stderr] = ["", ""];
    writeDatabaseVariables(this.build.project.root);
    const status = await manage(this.build, argv, {
      state: this.state,
      stdout: (text) => void (stdout += text),
      stderr: (text) => void (stderr += text),
    });
    if (status !== 0) throw new Error(`manage ${argv.join(" ")} ended with ${status}.\n${stdout}${stderr}`);
    return stdout;
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Rows in the schema of the first migration, and what the other migrations make of them. */
  async course(): Promise<Course> {
    await this.run("migrate", "library", "0001");
    await this.run("fill");
    this.#keep();
    const states = [await this.snapshot()];
    for (const target of ["0002", "0003"]) {
      await this.run("migrate", "library", target);
      states.push(await this.snapshot());
    }
    return { argv: ["migrate", "library", "0003"], states };
  }

  /**
   * Kills the process of some migrations at a step, and checks that each is complete or absent. On D1 a migration
   * that was sent in parts may be neither: then there is the table that tells so, and the next run has to complete it.
   * Returns what was found, or nothing where the migrations have fewer steps.
   */
  async check(step: number, { argv, states }: Course): Promise<Told | undefined> {
    this.#bringBack();
    const stopped = await this.#kill(step, argv);
    if (stopped === undefined) return undefined;
    const found = await this.snapshot();
    const index = states.findIndex((state) => isDeepStrictEqual(state, found));
    // From a known state the migrations were run before.
    if (index >= 0) return { step: stopped, found: `${index} of ${states.length - 1} migrations` };
    assert.equal(this.build.project.database, "d1", `${stopped}: neither complete nor absent`);
    assert.ok(UNFINISHED in found.definitions, `${stopped}: neither complete nor absent, and nothing tells so`);
    assert.deepEqual(found.violations, []);
    await this.run(...argv);
    assert.deepEqual(await this.snapshot(), states.at(-1), `${stopped}: the next run did not complete it`);
    return { step: stopped, found: "a migration in parts" };
  }

  async snapshot(): Promise<Snapshot> {
    return JSON.parse(await this.run("snapshot")) as Snapshot;
  }

  /**
   * Runs a command in a process that is killed, workerd with it, when the database is about to be asked for the step of
   * this number. Returns that step, or nothing where the command ended before.
   */
  #kill(step: number, argv: string[]): Promise<string | undefined> {
    writeDatabaseVariables(this.build.project.root, { STOP_AT: String(step) });
    const child = spawn(process.execPath, [PROGRAM, JSON.stringify(this.build), this.state, ...argv], {
      // A group of its own, to be killed as one.
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const group = -(child.pid as number);
    return new Promise((resolve, reject) => {
      let output = "";
      let stopped: string | undefined;
      const read = (piece: Buffer): void => {
        output += piece.toString();
        stopped ??= /stopped before (step .*)\n/.exec(output)?.[1];
        if (stopped !== undefined) process.kill(group, "SIGKILL");
      };
      child.stdout.on("data", read);
      child.stderr.on("data", read);
      child.on("error", reject);
      child.on("close", (status) => {
        if (stopped !== undefined || status === 0) resolve(stopped);
        else reject(new Error(`manage ${argv.join(" ")} ended with ${status}.\n${output}`));
      });
    });
  }
}
