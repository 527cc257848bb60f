/** docs/conformance.md, from the results that are committed. As a program it says whether the page is current. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { causes, exclusions, matches } from "./patterns.ts";
import type { Counts, Results } from "./results.ts";

const root = fileURLToPath(new URL("../", import.meta.url));
export const resultsFolder = join(root, "conformance", "results");
const page = join(root, "docs", "conformance.md");

/** The committed results, the newest Django first. */
export function committed(): Results[] {
  const names = readdirSync(resultsFolder).filter((name) => name.endsWith(".json"));
  const all = names.map((name) => JSON.parse(readFileSync(join(resultsFolder, name), "utf8")) as Results);
  return all.sort((a, b) => b.database.localeCompare(a.database) || b.django.localeCompare(a.django, "en", { numeric: true }));
}

const DATABASES: Record<string, string> = { "durable-object": "Durable Object", d1: "D1" };
const nameOf = ({ database, django, labels }: Results): string =>
  `${DATABASES[database]}, Django ${django}${labels.length > 0 ? `, ${labels.length} apps of the suite` : ""}`;

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ").replaceAll("<", "&lt;");
const code = (text: string): string => `\`${text}\``;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  const line = (cells: readonly (string | number)[]): string => `| ${cells.map((found) => cell(String(found))).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---|").join("")}`, ...rows.map(line)].join("\n");
}

const sum = (counts: Record<string, number>): number => Object.values(counts).reduce((all, n) => all + n, 0);
const percent = (rate: number): string => `${(rate * 100).toFixed(2)} %`;

function row(where: string, { found, run, passed, failed, errors, expected_failures: expected, skipped }: Counts, rate: string): (string | number)[] {
  return [where, found, run, passed, failed, errors, expected, sum(skipped), rate];
}

/** How often each thing is there in each of the results, the most frequent first. */
function crossTable(head: string, all: readonly Results[], counts: (results: Results) => Record<string, number>): string {
  const found = all.map(counts);
  const names = [...new Set(found.flatMap((each) => Object.keys(each)))];
  const total = (name: string): number => found.reduce((n, each) => n + (each[name] ?? 0), 0);
  names.sort((a, b) => total(b) - total(a) || a.localeCompare(b));
  return table([head, ...all.map(nameOf)], names.map((name) => [name, ...found.map((each) => each[name] ?? 0)]));
}

function notPassing(results: Results): string {
  const known = causes();
  const rows = results.not_passing.map((id) => {
    const cause = known.find((line) => matches(line, id))?.reason ?? code(results.reasons[id] ?? "");
    return [code(id), cause, results.interpreter_not_passing?.includes(id) ? "no" : ""];
  });
  const head = ["test", "why", results.interpreter_not_passing ? "passes on Django's SQLite in workerd" : ""];
  if (!results.interpreter_not_passing) return table(head.slice(0, 2), rows.map((cells) => cells.slice(0, 2)));
  return table(head, rows);
}

function write(all: readonly Results[]): string {
  const overview = all.flatMap((results) => [
    row(nameOf(results), results.here, percent(results.rate)),
    ...(results.native ? [row(`natively: ${results.versions["native"]}`, results.native, "")] : []),
    ...(results.interpreter ? [row("Django's own SQLite backend inside workerd", results.interpreter, "")] : []),
  ]);
  return `# Conformance

<!-- Written by npm run conformance -- --report from conformance/results/. -->

Django's own test suite, run inside workerd on the database by Django's own runner, and beside it natively on Django's SQLite backend. The rate is what passes here, divided by what passes natively. \`npm run conformance -- --database durable-object --django 6.1\` repeats it.

${table(["", "found", "run", "passed", "failed", "errors", "expected failures", "skipped", "rate"], overview)}

The second database of the suite is a second D1 database. A Durable Object has one storage, so there it is the same backend over SQLite in memory, with the limits of Workers set. On D1, where no transaction undoes what a test did, the rows that \`post_migrate\` makes are put back from a copy after each test.

${all.map((results) => `- ${nameOf(results)}: ${results.date}, ${Object.entries(results.versions).map(([name, version]) => `${name} ${version}`).join(", ")}; ${results.machine.cores} × ${results.machine.cpu}`).join("\n")}

## Not passing

${all.map((results) => `### ${nameOf(results)}\n\n${results.not_passing.length === 0 ? "Nothing." : notPassing(results)}`).join("\n\n")}

## Skipped

By the suite itself, for a feature that a backend says it does not have or a package that is not installed, or by \`features.py\` of the backends, where each has its reason.

${crossTable("reason", all, (results) => results.here.skipped)}

## Left out

Neither run here nor natively: \`conformance/excluded.txt\`.

${table(["tests", "why"], exclusions().map(({ pattern, reason }) => [code(pattern), reason]))}
`;
}

/** Writes the page. */
export const writeReport = (): void => writeFileSync(page, write(committed()));

/** Whether the page says what the results do. */
export const isCurrent = (): boolean => readFileSync(page, "utf8") === write(committed());

if (process.argv[1] === fileURLToPath(import.meta.url) && !isCurrent()) {
  process.stderr.write("docs/conformance.md is not current: npm run conformance -- --report writes it.\n");
  process.exitCode = 1;
}
