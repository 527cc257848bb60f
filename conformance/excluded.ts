/** The tests that are left out everywhere, each with its reason. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/lib/prepare.mjs";

export interface Exclusion {
  /** As Python's fnmatch has it. */
  pattern: string;
  reason: string;
}

export function exclusions(): Exclusion[] {
  const lines = readFileSync(join(root, "conformance", "excluded.txt"), "utf8").split("\n");
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, pattern, reason] = /^(\S+)\s+(\S.*)$/.exec(line) ?? [];
      if (pattern === undefined || reason === undefined) throw new Error(`conformance/excluded.txt: no reason in ${JSON.stringify(line)}`);
      return { pattern, reason };
    });
}

/** Whether nothing of an app is left. */
export const isWholeApp = (app: string, excluded: readonly Exclusion[]): boolean => excluded.some(({ pattern }) => pattern === `${app}.*`);

/** The patterns that can match a test of an app. */
export const patternsFor = (app: string, excluded: readonly Exclusion[]): string[] =>
  excluded.map(({ pattern }) => pattern).filter((pattern) => pattern.startsWith(`${app}.`));
