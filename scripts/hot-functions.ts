/**
 * Records what Workers run of Pyodide's wasm module, for the build to keep together (src/build/outline.ts, split.ts): the
 * functions, and the straight pieces of code in them, that ran while sites were started and used as visitors and editors
 * use them, and while Python did what it does everywhere; and the conditions that nearly always came out one way. Started
 * by hot-functions.mjs.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { build, type Build, type BuildOptions } from "../packages/django-on-workers/dist/build/index.js";
import { flowsOf, type Flow } from "../packages/django-on-workers/dist/build/flow.js";
import { BR_IF, IF, type Instruction } from "../packages/django-on-workers/dist/build/instructions.js";
import { link } from "../packages/django-on-workers/dist/build/link.js";
import { manage, startLocal } from "../packages/django-on-workers/dist/build/local.js";
import { pyodideFile, pyodideBuildId } from "../packages/django-on-workers/dist/build/pyodide.js";
import { FAILS, HOLDS, NEVER, packed, RUNS } from "../packages/django-on-workers/dist/build/record.js";
import { CODE, concatenated, EXPORT, exported, MEMORY, moduleOf, number, positive, sectionsOf, sized, vector, withMore } from "../packages/django-on-workers/dist/build/wasm.js";
import { Visitor } from "../tests/support/http.ts";
import { root } from "./lib/prepare.mjs";
import { main, step } from "./lib/terminal.mjs";
import { environment } from "./lib/venv.mjs";

const TARGET = join(root, "packages", "django-on-workers", "src", "build", "hot-functions.ts");
const PROFILE = "/hot-functions/";

const WORD = 4;
/** `i32.const; i32.const; i32.load; i32.const 1; i32.add; i32.store` of a word of the second memory. */
const count = (place: number): number[] => {
  const address = [0x41, ...positive(WORD * place)];
  return [...address, ...address, 0x28, 0x42, 1, 0, 0x41, 1, 0x6a, 0x36, 0x42, 1, 0];
};
const PAGE = 65536;
/** How often a condition is asked, and which share of that it comes out one way, at least, for V8 to be told: what runs seldom is never compiled for speed. */
const OFTEN = 1000;
const AS_A_RULE = 0.95;

/** The module, in which each straight piece of code counts in a second memory, at its place, how often it has run; and how many pieces there are. */
function counting(wasm: Uint8Array): { wasm: Uint8Array; pieces: number } {
  let place = 0;
  const code = flowsOf(wasm).read.map((read) => {
    const { code, start, straights, instructions } = read();
    const parts = straights.flatMap(({ from, to }) => [count(place++), code.subarray(instructions[from]?.start, instructions[to - 1]?.end)]);
    return sized(concatenated(code.subarray(0, start), ...parts));
  });
  const change = (id: number, body: Uint8Array): Uint8Array => {
    if (id === MEMORY) return withMore(body, [[0, ...number(Math.ceil((WORD * place) / PAGE))]]);
    if (id === EXPORT) return withMore(body, [exported("profile", "memory", 1)]);
    return id === CODE ? vector(code) : body;
  };
  return { wasm: moduleOf(sectionsOf(wasm).map(({ id, body }) => ({ id, body: change(id, body) }))), pieces: place };
}

const HOOK = `
import wasm from "./counting.wasm";
import { artefacts as emitted } from "./artefacts.js";
const { later, data, ...parts } = emitted.parts;
const artefacts = { ...emitted, parts: { ...parts, wasm } };
let memory;
WebAssembly.Instance = new Proxy(WebAssembly.Instance, {
  construct(Instance, given) {
    const instance = new Instance(...given);
    memory = instance.exports.profile ?? memory;
    return instance;
  },
});
const profile = () => new Response(new Uint8Array(memory.buffer).slice());
const asked = (request) => new URL(request.url).pathname === "${PROFILE}";
`;
const ENTRIES = {
  d1: `import "./prepare.js";
import { createWorker } from "./runtime/django/worker.js";
${HOOK}
const worker = await createWorker(artefacts);
export default { fetch: (request, env, ctx) => (asked(request) ? profile() : worker.fetch(request, env, ctx)) };
`,
  "durable-object": `import "./prepare.js";
import { DjangoObject, forwarder } from "./runtime/django/object.js";
${HOOK}
export class Django extends DjangoObject {
  async load() {
    return artefacts;
  }
  serve(request, client) {
    return asked(request) ? profile() : super.serve(request, client);
  }
}
export default forwarder;
`,
};

type Use = (visitor: Visitor) => Promise<unknown>;

async function pages(visitor: Visitor, ...paths: string[]): Promise<void> {
  for (const path of paths) {
    const { status, text } = await visitor.get(path);
    if (status >= 500) throw new Error(`${path} answered ${status}\n${text.slice(0, 2000)}`);
  }
}

async function useBlog(visitor: Visitor): Promise<void> {
  const slug = /href="(\/posts\/[\w-]+\/)"/.exec((await visitor.get("/")).text)?.[1] ?? "/";
  await pages(visitor, "/robots.txt", "/?page=2", "/?q=bread", slug, "/archive/", "/archive/2026/", "/archive/2026/1/", "/authors/", "/feed/", "/feed/atom/", "/sitemap.xml", "/api/posts/", "/api/stats/", "/export/posts.csv", "/example-d1", "/nothing/");
  await visitor.post(slug, { name: "Ada", email: "ada@example.com", body: "A comment with ümlauts and a link: https://example.com/." });
  await visitor.post(slug, { name: "", body: "" });
  const account = { username: "grace", password1: "correct-horse-9", password2: "correct-horse-9", email: "grace@example.com" };
  await visitor.post("/accounts/signup/", { ...account, password2: "another" });
  await visitor.post("/accounts/signup/", account);
  await pages(visitor, "/accounts/profile/", "/accounts/preferences/", "/accounts/password/");
  await visitor.post("/accounts/preferences/", { time_zone: "America/New_York" });
  for (const language of ["fr", "de", "en"]) {
    await visitor.post("/", { language, next: "/" });
    await pages(visitor, "/", slug);
  }
  const editor = new Visitor(visitor.url);
  await editor.post("/admin/login/?next=/admin/", { username: "admin", password: "wrong" });
  await editor.post("/admin/login/?next=/admin/", { username: "admin", password: "admin" });
  await pages(editor, "/admin/", "/admin/blog/post/", "/admin/blog/post/?q=bread&o=-2", "/admin/blog/post/add/", "/admin/blog/comment/", "/admin/auth/user/", "/admin/auth/user/add/", "/admin/jsi18n/", "/admin/blog/post/1/change/", "/admin/blog/post/1/history/");
  await editor.post("/admin/blog/post/add/", { title: "" });
  await editor.post("/admin/blog/tag/add/", { name: "Recorded", slug: "recorded", description: "" });
  const tag = /\/admin\/blog\/tag\/(\d+)\/change\//.exec((await editor.get("/admin/blog/tag/?q=recorded")).text)?.[1] ?? "1";
  await editor.post(`/admin/blog/tag/${tag}/change/`, { name: "Recorded again", slug: "recorded", description: "Some." });
  await editor.post("/admin/blog/tag/", { action: "delete_selected", _selected_action: tag });
  await editor.post(`/admin/blog/tag/${tag}/delete/`, { post: "yes" });
  await editor.post("/admin/password_change/", { old_password: "admin", new_password1: "short", new_password2: "short" });
  await editor.post("/admin/logout/", {}).catch(() => undefined);
}

/** What `startproject` writes, as one looks at it first. */
async function useStock(visitor: Visitor): Promise<void> {
  await pages(visitor, "/", "/admin/", "/nothing/");
  await visitor.post("/admin/login/?next=/admin/", { username: "admin", password: "admin" });
  await pages(visitor, "/admin/", "/admin/auth/user/", "/admin/auth/user/1/change/", "/admin/auth/group/add/");
  await visitor.post("/admin/auth/user/add/", { username: "ada", usable_password: "true", password1: "correct-horse-9", password2: "correct-horse-9" });
}

const useRecords: Use = (visitor) => pages(visitor, "/reset/", ...["one_row/3", "thousand_rows/1", "bulk_create/1", "thousand_gets/1"].map((what) => `/measure/${what}/`), "/compute/", "/admin/login/");

async function built(options: BuildOptions & { root: string }, commands: readonly string[][]): Promise<Build> {
  const found = await build({ level: 1, ...options });
  const output = { stdout: () => undefined, stderr: (text: string) => void process.stderr.write(text) };
  process.env["DJANGO_SUPERUSER_PASSWORD"] = "admin";
  for (const command of [["migrate", "--verbosity", "0"], ...commands]) {
    if ((await manage(found, command, output)) !== 0) throw new Error(`manage ${command.join(" ")} failed.`);
  }
  return found;
}

/** How often each piece of code ran while the site was used, by their places. */
async function recordedIn(site: Build, wasm: Uint8Array, use: Use): Promise<Uint32Array> {
  const folder = `${site.folder}-counting`;
  cpSync(site.folder, folder, { recursive: true });
  writeFileSync(join(folder, "counting.wasm"), wasm);
  const worker = await startLocal({ ...site, folder }, { entry: ENTRIES[site.project.database], log: (_, message) => void (/Error|Traceback/.test(message) && console.error(message)) });
  try {
    const url = (await worker.ready).origin;
    await use(new Visitor(url));
    return new Uint32Array(await (await fetch(`${url}${PROFILE}`)).arrayBuffer());
  } finally {
    await worker.dispose();
  }
}

async function run(): Promise<number> {
  parseArgs({ options: {} });
  const scratch = mkdtempSync(join(tmpdir(), "django-on-workers-hot-"));
  try {
    const { wasm: whole } = link(pyodideFile("pyodide.asm.mjs").toString("utf8"), pyodideFile("pyodide.asm.wasm"));
    const { wasm, pieces } = counting(whole);
    const counts = new Float64Array(pieces);
    const copied = (source: string) => (folder: string) => cpSync(join(root, source), folder, { recursive: true, filter: (path) => !/[\\/](?:\.django-on-workers|\.wrangler|__pycache__)$/.test(path) });
    const superuser = ["createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.com"];
    // Deployed, settings of the environment are others than in the build.
    const variables = "SECRET_KEY=recorded\nALLOWED_HOSTS=localhost,127.0.0.1\nCSRF_TRUSTED_ORIGINS=http://localhost,http://127.0.0.1\n";
    const blog = { name: "examples/blog", write: copied("examples/blog"), commands: [["loaddata", "demo"], superuser], use: useBlog, variables };
    const records = { name: "bench/project", write: copied("bench/project"), commands: [], use: useRecords, variables: "" };
    const stock = {
      name: "what startproject writes",
      write(folder: string) {
        mkdirSync(folder);
        execFileSync(environment("django-5.2", ["Django==5.2.*", "tzdata"]), ["-m", "django", "startproject", "mysite", folder]);
      },
      commands: [superuser],
      use: useStock,
      variables: "",
    };
    const sites = [
      { ...blog, database: "durable-object", kind: "wsgi" },
      { ...blog, database: "d1", kind: "asgi" },
      { ...records, database: "durable-object", kind: "wsgi" },
      { ...records, database: "d1", kind: "wsgi" },
      { ...stock, database: "durable-object", kind: "wsgi" },
      { ...stock, database: "d1", kind: "asgi" },
    ] as const;
    for (const [number, { name, write, commands, use, variables, database, kind }] of sites.entries()) {
      const folder = join(scratch, `site-${number}`);
      write(folder);
      writeFileSync(join(folder, "requirements.txt"), "Django==6.1.*\n");
      step(`Using ${name} on ${database}`);
      const site = await built({ root: folder, database, interface: kind }, commands);
      writeFileSync(join(folder, ".dev.vars"), variables);
      const found = await recordedIn(site, wasm, use);
      counts.forEach((sum, place) => (counts[place] = sum + (found[place] as number)));
    }
    const functions: number[] = [];
    const straights: number[] = [];
    let position = 0;
    for (const read of flowsOf(whole).read) {
      const flow = read();
      const own = counts.subarray(position, (position += flow.straights.length));
      functions.push(own[0] ? RUNS : NEVER);
      if (own[0]) straights.push(...usesOf(flow, own));
    }
    writeFileSync(TARGET, recorded(pyodideBuildId(), functions, straights));
    const known = straights.filter((found) => found === HOLDS || found === FAILS).length;
    process.stdout.write(`${functions.filter(Boolean).length} functions, ${straights.filter(Boolean).length} of their ${straights.length} pieces, ${known} conditions\n`);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** What is known of a function's straight pieces, of how often each has run. */
function usesOf({ straights, instructions }: Flow, counts: Float64Array): number[] {
  return straights.map(({ to }, straight) => {
    const all = counts[straight] as number;
    if (all === 0) return NEVER;
    const { opcode } = instructions[to - 1] as Instruction;
    if ((opcode !== BR_IF && opcode !== IF) || all < OFTEN) return RUNS;
    // What follows is run after nothing else: by `if` when its condition holds, by `br_if` when it does not.
    const share = (counts[straight + 1] as number) / all;
    const held = opcode === IF ? share : 1 - share;
    return held >= AS_A_RULE ? HOLDS : held <= 1 - AS_A_RULE ? FAILS : RUNS;
  });
}

const recorded = (buildId: string, functions: readonly number[], straights: readonly number[]): string => `/** Written by \`npm run hot-functions\`: what of Pyodide's wasm module Workers run, as \`record.ts\` reads it. */
export const HOT_FUNCTIONS = {
  /** The Pyodide that this is about. */
  buildId: "${buildId}",
  /** One bit for each function that the module defines, in their order. */
  functions:
    "${packed(functions, 1)}",
  /** Two bits for each straight piece of code of those functions, in their order. */
  straights:
    "${packed(straights, 2)}",
};
`;

await main(run);
