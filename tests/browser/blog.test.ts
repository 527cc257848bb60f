/** The example in a real browser, served by `wrangler dev`, on each database. */
import assert from "node:assert/strict";
import { accessSync, constants, existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { chromium, type Browser, type Page } from "playwright-core";
import { freePort, serving, wrangler, type Server } from "../support/command.ts";
import { buildProject, copyProject, root } from "../support/project.ts";
import { managed } from "../support/worker.ts";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function executable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function findChromium(): string | undefined {
  const named = process.env["CHROMIUM_PATH"];
  if (named !== undefined) {
    if (!existsSync(named)) throw new Error(`CHROMIUM_PATH is ${named}, which is not there.`);
    return named;
  }
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  return folders.flatMap((folder) => NAMES.map((name) => join(folder, name))).find(executable);
}

const program = findChromium();
const skip = program === undefined && "there is no Chromium: install one (apt-get install chromium), or name it by CHROMIUM_PATH";
const images = process.env["SCREENSHOTS"] ? join(root, "docs", "images") : undefined;

const PASSWORD = "a password for the browser";
const SUPERUSER = `
from django.contrib.auth import get_user_model
get_user_model().objects.create_superuser("ada", "ada@example.com", "${PASSWORD}")
`;

for (const database of ["durable-object", "d1"] as const) {
  describe(`the example on ${database}`, { skip }, () => {
    let server: Server;
    let browser: Browser;
    let page: Page;
    const faults: string[] = [];

    before(async () => {
      const folder = copyProject("blog", `blog-${database}`, join(root, "examples", "blog"));
      const built = await buildProject(folder, { database });
      await managed(built, "migrate", "--verbosity", "0");
      await managed(built, "loaddata", "demo");
      await managed(built, "shell", "--no-imports", "-c", SUPERUSER);
      const port = await freePort();
      server = await serving(process.execPath, [wrangler(root), "dev", "--ip", "127.0.0.1", "--port", String(port)], folder, port);
      browser = await chromium.launch({
        executablePath: program as string,
        args: ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
      });
      page = await browser.newPage({ baseURL: server.url, locale: "en", viewport: { width: 1280, height: 860 } });
      page.on("pageerror", (error) => void faults.push(String(error)));
      page.on("response", (response) => void (response.status() >= 400 && faults.push(`${response.status()} ${response.url()}`)));
    });
    after(async () => {
      await browser?.close();
      await server?.stop();
    });

    const text = (selector: string): Promise<string> => page.locator(selector).innerText();

    test("shows its home page with style", async () => {
      await page.goto("/");
      assert.equal(await page.locator("html").getAttribute("lang"), "en");
      assert.ok((await page.locator(".card").count()) > 5);
      assert.notEqual(await page.locator(".site-header").evaluate((element) => getComputedStyle(element).borderBottomStyle), "");
      if (images && database === "durable-object") {
        mkdirSync(images, { recursive: true });
        await page.screenshot({ path: join(images, "home.png") });
      }
    });

    test("lets the editor in", async () => {
      await page.goto("/admin/");
      await page.fill("#id_username", "ada");
      await page.fill("#id_password", PASSWORD);
      await page.click("[type=submit]");
      await page.waitForURL("**/admin/");
      assert.match(await text("#content h1"), /What are we publishing today\?/);
    });

    test("keeps the reader's time zone", async () => {
      await page.goto("/accounts/preferences/");
      await page.selectOption("#id_time_zone", "Asia/Tokyo");
      await page.click("#time-zone-form button:not([type=button])");
      await page.waitForLoadState();
      assert.match(await text("#time-zone"), /Asia\/Tokyo/);
    });

    test("takes a post with tags and a publication date", async () => {
      await page.goto("/admin/blog/post/");
      if (images && database === "durable-object") await page.screenshot({ path: join(images, "admin.png") });
      await page.goto("/admin/blog/post/add/");
      // Key by key: the slug follows what is typed.
      await page.locator("#id_title").pressSequentially("Cycling to the quince trees");
      assert.equal(await page.inputValue("#id_slug"), "cycling-to-the-quince-trees");
      await page.fill("#id_summary", "A ride with an empty basket, and back with a full one.");
      await page.fill("#id_body", "## The way there\n\nUphill, past *seventeen* gates.\n\n- quinces\n- bread");
      await page.check("input[name=status][value=published]");
      await page.fill("#id_publish_at_0", "2026-03-05");
      await page.fill("#id_publish_at_1", "10:30:00");
      const offered = await page.locator("#id_tags_from option").allInnerTexts();
      assert.ok(offered.length >= 2, offered.join());
      await page.selectOption("#id_tags_from", offered.slice(0, 2).map((label) => ({ label })));
      await page.click("#id_tags_add, #id_tags_add_link");
      await page.click("[name=_save] >> nth=0");
      await page.waitForURL("**/admin/blog/post/");
      assert.match(await text(".messagelist"), /Cycling to the quince trees.*was added successfully/);
    });

    test("shows it in French, its date in another time zone", async () => {
      await page.goto("/accounts/preferences/");
      await page.selectOption("#id_time_zone", "America/New_York");
      await page.click("#time-zone-form button:not([type=button])");
      await page.goto("/posts/cycling-to-the-quince-trees/");
      assert.match(await text("#published"), /^March 4, 2026, 8:30 p\.m\.$/);
      await page.click("#language-switch [value=fr]");
      await page.waitForSelector("html[lang=fr]");
      assert.match(page.url(), /\/posts\/cycling-to-the-quince-trees\/$/);
      assert.match(await text("#published"), /^4 mars 2026[ \u00a0]20:30$/);
      assert.equal(await text("h1"), "Cycling to the quince trees");
      assert.equal(await page.locator("[rel=tag]").count(), 2);
      assert.equal(await page.locator(".prose em").innerText(), "seventeen");
    });

    test("takes a comment, and says what is wrong with one", async () => {
      await page.fill("#comment-form [name=body]", "x");
      await page.click("#comment-form button");
      await page.waitForSelector("#comment-form .has-error");
      await page.fill("#comment-form [name=body]", "Des coings, enfin !");
      await page.click("#comment-form button");
      await page.waitForSelector("#comments li");
      assert.match(await text("#comments li"), /Des coings, enfin !/);
    });

    test("finds it, and switches back", async () => {
      await page.goto("/");
      await page.fill("#q", "quince basket");
      await page.click(".search button");
      await page.waitForSelector("#result-count");
      assert.match(await text("#result-count"), /^1 /);
      assert.equal(await text(".card h2"), "Cycling to the quince trees");
      await page.click("#language-switch [value=en]");
      await page.waitForSelector("html[lang=en]");
      assert.equal(await text("#result-count"), "1 post found");
      await page.click("#logout button");
      await page.waitForSelector("#login");
    });

    test("without an error of the browser or a missing file", () => {
      assert.deepEqual(faults, []);
    });
  });
}
