/** Lists of tests by pattern, each line with a reason: excluded.txt and causes.txt. */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Line {
  /** As Python's fnmatch has it, with `*` alone. */
  pattern: string;
  reason: string;
}

function read(name: string): Line[] {
  const lines = readFileSync(fileURLToPath(new URL(name, import.meta.url)), "utf8").split("\n");
  return lines
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => {
      const [, pattern, reason] = /^(\S+)\s+(\S.*)$/.exec(line) ?? [];
      if (pattern === undefined || reason === undefined) throw new Error(`conformance/${name}: no reason in ${JSON.stringify(line)}`);
      return { pattern, reason };
    });
}

/** Tests that are left out everywhere: what they need can't exist on Workers. */
export const exclusions = (): Line[] => read("excluded.txt");

/** Why tests do not pass that could. */
export const causes = (): Line[] => read("causes.txt");

export const matches = ({ pattern }: Line, id: string): boolean =>
  new RegExp(`^${pattern.split("*").map((part) => part.replace(/[.()]/g, "\\$&")).join(".*")}$`).test(id);

/** Whether nothing of the app is left that a label belongs to. */
export const isWholeApp = (label: string, excluded: readonly Line[]): boolean =>
  excluded.some(({ pattern }) => pattern === `${label.split(".")[0]}.*`);

/** The patterns for tests of an app. */
export const patternsFor = (app: string, excluded: readonly Line[]): string[] =>
  excluded.map(({ pattern }) => pattern).filter((pattern) => pattern.startsWith(`${app}.`));
