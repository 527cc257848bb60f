/** What a build does again, what it does not, and what it tells. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { dow, run, wrangler } from "../support/command.ts";
import { writeVariables, VARIABLES } from "../support/behaviour.ts";
import { json, send } from "../support/http.ts";
import { buildProject, copyProject, root, type Recorded } from "../support/project.ts";
import { serve } from "../support/worker.ts";

const nothing = (): Recorded => ({ steps: [], warnings: [] });

describe("the cache", () => {
  test("a static root outside the project is told of each time, one without files never", async () => {
    const folder = copyProject("captured", "static-root");
    const settings = join(folder, "config", "settings.py");
    appendFileSync(settings, '\nINSTALLED_APPS += ["django.contrib.staticfiles"]\nSTATIC_URL = "static/"\nSTATIC_ROOT = "/elsewhere/static"\n');
    appendFileSync(join(folder, "captured", "views.py"), `\n# ${Date.now()}\n`);
    const environment = { ...process.env, ...VARIABLES };
    const outside = async (): Promise<[steps: number, warnings: string[]]> => {
      const recorded = nothing();
      await buildProject(folder, { environment, recorded });
      return [recorded.steps.length, recorded.warnings.filter((text) => text.includes("STATIC_ROOT"))];
    };
    const told = ["STATIC_ROOT is /elsewhere/static, outside the project's folder: its files do not become assets."];
    const [steps, first] = await outside();
    assert.ok(steps > 0);
    assert.deepEqual(first, told);
    assert.deepEqual(await outside(), [0, told]);
    writeFileSync(settings, readFileSync(settings, "utf8").replace('"/elsewhere/static"', 'os.path.join(os.getcwd(), "collected")'));
    assert.deepEqual((await outside())[1], []);
  });

  test("an unchanged project takes no step, a changed file only what depends on it", async () => {
    const folder = copyProject("behaviour", "cache");
    writeVariables(folder, VARIABLES);
    await buildProject(folder);

    const unchanged = nothing();
    const before = await buildProject(folder, { recorded: unchanged });
    assert.deepEqual(unchanged, nothing());

    // Never the same twice: the folder's cache outlives a run of the tests.
    const unique = `changed ${Date.now()}`;
    const view = nothing();
    appendFileSync(join(folder, "things", "late.py"), `\nMORE = "${unique}"\n`);
    const after = await buildProject(folder, { recorded: view });
    assert.deepEqual(view.steps, ["Compiling one file of the project", "Importing the project and taking its image"]);
    assert.notEqual(after.manifest.buildId, before.manifest.buildId);

    const template = nothing();
    writeFileSync(join(folder, "templates", "late.html"), unique);
    const built = await buildProject(folder, { recorded: template });
    assert.ok(!template.steps.some((step) => step.includes("Compiling")), template.steps.join());
    const site = await serve(built);
    try {
      assert.equal((await send(site.url, "/late/")).text, unique);
    } finally {
      await site.stop();
    }

    const other = nothing();
    await buildProject(folder, { interface: "asgi", recorded: other });
    assert.deepEqual(other, nothing());
  });

  test("a changed message is compiled and seen", async () => {
    const folder = copyProject("behaviour", "catalogue");
    writeVariables(folder, VARIABLES);
    const catalogue = join(folder, "locale", "fr", "LC_MESSAGES", "django.po");
    for (const [from, to] of [["Bonjour", "Salut"], ["Salut", "Coucou"]] as const) {
      writeFileSync(catalogue, readFileSync(catalogue, "utf8").replace(from, to));
      const site = await serve(await buildProject(folder));
      try {
        assert.equal((await send(site.url, "/french/")).text, `${to} à tous`);
      } finally {
        await site.stop();
      }
    }
  });
});

describe("the example", () => {
  test("has a table of sizes, stays under 30 MiB, and Wrangler would deploy it", async () => {
    const folder = copyProject("blog", "blog-durable-object", join(root, "examples", "blog"));
    const { status, stdout, stderr } = await dow(["build"], folder);
    assert.equal(status, 0, stderr);
    for (const name of ["wasm", "image", "bytecode", "JavaScript", "total", "assets"]) assert.match(stdout, new RegExp(`^${name} +\\d+\\.\\d\\d`, "m"));
    assert.ok(Number(/^total +([\d.]+) +of 64 MiB/m.exec(stdout)?.[1]) < 30, stdout);
    const outdir = join(folder, ".django-on-workers", "dry-run");
    for (const database of ["durable-object", "d1"] as const) {
      await buildProject(folder, { database });
      const dry = await run(process.execPath, [wrangler(root), "deploy", "--dry-run", "--outdir", outdir], folder, { CLOUDFLARE_API_TOKEN: undefined });
      assert.equal(dry.status, 0, dry.stderr);
      assert.match(dry.stdout, database === "d1" ? /env\.DB/ : /env\.DJANGO/);
    }
  });
});

describe("Django 5.2", () => {
  test("every adaptation fits it too", async () => {
    const folder = copyProject("behaviour", "behaviour-5.2");
    writeVariables(folder, VARIABLES);
    writeFileSync(join(folder, "requirements.txt"), "Django==5.2.*\n");
    const site = await serve(await buildProject(folder));
    try {
      const { django, problems } = await json(site.url, "/adaptations/");
      assert.match(django, /^5\.2\./);
      assert.ok(Object.keys(problems).length > 5);
      for (const [name, found] of Object.entries(problems)) assert.deepEqual(found, [], name);
      assert.equal((await send(site.url, "/late/?language=fr")).text.trim(), "A part.\n Bonjour à tous");
    } finally {
      await site.stop();
    }
  });
});
