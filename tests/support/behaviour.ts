/** tests/projects/behaviour in workerd: on each database, under each interface. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import type { Build, Database, Interface } from "../../packages/django-on-workers/dist/build/index.js";
import { buildProject, copyProject, type Recorded } from "./project.ts";
import { managed, serve, type Running } from "./worker.ts";

export const DATABASES: readonly Database[] = ["durable-object", "d1"];
export const INTERFACES: readonly Interface[] = ["wsgi", "asgi"];

/** What the running Worker finds in its environment; the build sees other values. */
export const VARIABLES = { SECRET_KEY: "a key for tests", API_TOKEN: "a token for tests" };

export function writeVariables(folder: string, variables: Record<string, string>): void {
  const lines = Object.entries(variables).map(([name, value]) => `${name}="${value}"\n`);
  writeFileSync(join(folder, ".dev.vars"), lines.join(""));
}

export async function buildBehaviour(database: Database, kind: Interface, recorded?: Recorded): Promise<Build> {
  const folder = copyProject("behaviour", `behaviour-${database}`);
  writeVariables(folder, VARIABLES);
  return buildProject(folder, { database, interface: kind, ...(recorded && { recorded }) });
}

export async function startBehaviour(database: Database, kind: Interface): Promise<Running & { build: Build }> {
  const build = await buildBehaviour(database, kind);
  await managed(build, "migrate");
  return { build, ...(await serve(build)) };
}

type Combination = readonly [database: Database, kind: Interface];

export const ALL: readonly Combination[] = DATABASES.flatMap((database) => INTERFACES.map((kind) => [database, kind] as const));
/** Each database and each interface once: for what depends on neither the one with the other. */
export const EACH: readonly Combination[] = [
  ["durable-object", "wsgi"],
  ["d1", "asgi"],
];

/** The same tests for each of these combinations. */
export function combinations(chosen: readonly Combination[], define: (database: Database, kind: Interface) => void): void {
  for (const [database, kind] of chosen) describe(`${database}, ${kind}`, () => define(database, kind));
}
