/** What arrives at a view, and what of its answer arrives at the client. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { ALL, combinations, startBehaviour } from "../support/behaviour.ts";
import { json, open, send } from "../support/http.ts";

combinations(ALL, (database, kind) => {
  let site: Awaited<ReturnType<typeof startBehaviour>>;
  before(async () => {
    site = await startBehaviour(database, kind);
  });
  after(() => site?.stop());

  for (const [style, path] of [["sync", "/echo/"], ["async", "/echo-async/"]] as const) {
    test(`a form reaches a ${style} view`, async () => {
      const found = await json(site.url, `${path}?a=1&list=x&list=y%20z&empty=`, {
        method: "POST",
        headers: { "content-type": "application/x-www-form-urlencoded", cookie: "one=1; two=zwei" },
        body: "name=%C3%9C+b&name=c&note=%26",
      });
      assert.equal(found.method, "POST");
      assert.deepEqual(found.post, { name: ["Ü b", "c"], note: ["&"] });
      assert.deepEqual(found.query, { a: "1", list: ["x", "y z"], empty: "" });
      assert.deepEqual(found.cookies, { one: "1", two: "zwei" });
    });

    test(`scheme, host, headers and the client's address reach a ${style} view`, async () => {
      const found = await json(site.url, path, { headers: { host: "example.com:8000", "x-custom-header": "a, b", "cf-connecting-ip": "203.0.113.7" } });
      assert.equal(found.host, "example.com:8000");
      assert.equal(found.absolute, `http://example.com:8000${path}`);
      assert.equal(found.scheme, "http");
      assert.equal(found.headers["x-custom-header"], "a, b");
      assert.match(found.remote, /^(?:203\.0\.113\.7|127\.0\.0\.1|::1)$/);
    });
  }

  test("a request over https is secure, and its client's address that of the header", async () => {
    const response = await site.dispatch("https://shop.example/echo/", { "cf-connecting-ip": "2001:db8::1" });
    const found = (await response.json()) as Record<string, unknown>;
    assert.equal(found["scheme"], "https");
    assert.equal(found["secure"], true);
    assert.match(String(found["absolute"]), /^https:/);
    assert.equal(found["remote"], "2001:db8::1");
  });

  test("a JSON body is there as it was sent", async () => {
    const body = JSON.stringify({ text: "ü\u0000 🐍", list: [1, 2, 3] });
    const found = await json(site.url, "/echo/", { method: "PUT", headers: { "content-type": "application/json" }, body });
    assert.equal(found.body, body);
    assert.equal(found.length, String(Buffer.byteLength(body)));
  });

  test("a chunked body without a length is read to its end", async () => {
    const pieces = Array.from({ length: 50 }, (_, number) => `piece-${number},`);
    const found = await json(site.url, "/echo/", { method: "POST", headers: { "content-type": "application/json" }, body: pieces });
    assert.equal(found.body, pieces.join(""));
  });

  test("an upload of several megabytes is whole", async () => {
    const contents = randomBytes(5 * 1024 * 1024);
    const form = new FormData();
    form.set("title", "größe");
    form.set("file", new Blob([contents], { type: "application/x-test" }), "näme.bin");
    const response = await fetch(`${site.url}/upload/`, { method: "POST", body: form });
    const { files, fields } = (await response.json()) as { files: Record<string, object>; fields: object };
    assert.deepEqual(fields, { title: "größe" });
    assert.deepEqual(files, {
      file: { name: "näme.bin", size: contents.byteLength, type: "application/x-test", sha256: createHash("sha256").update(contents).digest("hex") },
    });
  });

  test("a body that no view reads does no harm", async () => {
    const { status } = await send(site.url, "/status/403/", { method: "POST", body: new Uint8Array(300_000) });
    assert.equal(status, 403);
    assert.equal((await send(site.url, "/status/200/")).text, "status 200");
  });

  test("several cookies and other headers are set", async () => {
    const { headers } = await send(site.url, "/cookies/");
    const cookies = headers["set-cookie"] ?? [];
    assert.equal(cookies.length, 3);
    assert.match(cookies[0] ?? "", /^first="1\\054 and a comma"/);
    assert.match(cookies[1] ?? "", /^second=2; HttpOnly; Path=\/cookies\/; SameSite=Strict/);
    assert.match(cookies[2] ?? "", /^third="";.*Max-Age=0/);
    assert.equal(headers["link"], "</a>; rel=next");
  });

  test("a redirect is the client's to follow", async () => {
    const { status, headers } = await send(site.url, "/go/?to=/path/%C3%BC/%3Fx%3D1");
    assert.equal(status, 302);
    assert.equal(headers.location, "/path/%C3%BC/?x=1");
  });

  test("paths are decoded once, whatever they hold", async () => {
    for (const [sent, expected] of [
      ["/path/a%20b", "a b"],
      ["/path/%C3%A9t%C3%A9", "été"],
      ["/path/a%2Fb", "a/b"],
      ["/path/100%25", "100%"],
      ["/path/%F0%9F%90%8D+x", "🐍+x"],
      ["/path/a;b,c=d", "a;b,c=d"],
    ] as const) {
      assert.equal((await json(site.url, sent)).rest, expected, sent);
    }
  });

  test("HEAD has the headers and no body", async () => {
    const got = await send(site.url, "/file/");
    const { status, headers, body } = await send(site.url, "/file/", { method: "HEAD" });
    assert.equal(status, 200);
    assert.equal(body.byteLength, 0);
    assert.equal(headers["content-length"], got.headers["content-length"]);
    assert.equal(headers["content-type"], "text/plain");
  });

  test("204 and 304 have no body, and other statuses keep theirs", async () => {
    for (const status of [204, 304]) {
      const answer = await send(site.url, `/status/${status}/`);
      assert.deepEqual([answer.status, answer.text], [status, ""]);
    }
    for (const status of [201, 400, 404, 418, 503]) {
      const answer = await send(site.url, `/status/${status}/`);
      assert.deepEqual([answer.status, answer.text], [status, `status ${status}`]);
    }
  });

  test("a conditional GET is answered with 304", async () => {
    const { status, headers } = await send(site.url, "/modified/");
    assert.equal(status, 200);
    const again = await send(site.url, "/modified/", { headers: { "if-modified-since": headers["last-modified"] } });
    assert.deepEqual([again.status, again.text], [304, ""]);
    const tagged = await send(site.url, "/modified/", { headers: { "if-none-match": headers["etag"] ?? '"none"' } });
    assert.equal(tagged.status, headers["etag"] === undefined ? 200 : 304);
  });

  for (const [how, path] of [["at once", "/packed/"], ["in a stream", "/packed/?stream=1"]] as const) {
    test(`what Django compresses and sends ${how} is compressed once`, async () => {
      const packed = await send(site.url, path, { headers: { "accept-encoding": "gzip" } });
      assert.equal(packed.headers["content-encoding"], "gzip");
      assert.equal(gunzipSync(packed.body).toString(), "text ".repeat(400));
    });

    test(`what goes out ${how} is not compressed for a client that did not ask for it`, async () => {
      for (const headers of [{}, { "accept-encoding": "identity" }]) {
        const plain = await send(site.url, path, { headers });
        assert.equal(plain.headers["content-encoding"], undefined, JSON.stringify(headers));
        assert.equal(plain.text, "text ".repeat(400));
      }
    });
  }

  test("synchronous code finds no running loop, and asynchronous code does", async () => {
    const found = { before: true, called: false, callback: true, task: "slept", thread: false, nested: true, after: true };
    assert.deepEqual(await json(site.url, "/loops-async/"), found);
    assert.deepEqual(await json(site.url, "/loops/"), { before: false, entered: found, between: false, waited: found, run: true, after: false });
  });

  test("a file is sent with its length, type and name", async () => {
    const { headers, body } = await send(site.url, "/file/");
    assert.equal(headers["content-length"], "250000");
    assert.equal(headers["content-type"], "text/plain");
    assert.equal(headers["content-disposition"], "attachment; filename*=utf-8''gr%C3%B6%C3%9Fe.txt");
    assert.equal(body.toString(), "line\n".repeat(50_000));
  });

  const release = (id: string, number: number) => send(site.url, `/release/?key=released-${id}-${number}`);
  const [native, foreign] = kind === "wsgi" ? ["/stream/", "/stream-async/"] : ["/stream-async/", "/stream/"];

  test(`${native} arrives piece by piece`, async () => {
    const incoming = await open(site.url, `${native}?id=pieces`);
    let text = "";
    let released = 0;
    for await (const piece of incoming) {
      text += String(piece);
      // Each piece is there before the view was allowed to go on to the next.
      assert.ok(text.endsWith(`piece ${released}\n`), text);
      await release("pieces", released);
      released++;
    }
    assert.equal(text, "piece 0\npiece 1\npiece 2\n");
  });

  test(`${foreign} arrives too: Django gathers its pieces first`, async () => {
    for (const number of [0, 1, 2]) await release("gathered", number);
    const { text } = await send(site.url, `${foreign}?id=gathered`);
    assert.equal(text, "piece 0\npiece 1\npiece 2\n");
  });

  test("a client that leaves in the middle of a stream ends it, and the next request is served", async () => {
    // Endless for a client that stays; a generator of the other kind would be gathered first.
    const incoming = await open(site.url, kind === "wsgi" ? "/endless/" : "/endless-async/");
    await new Promise((resolve) => incoming.once("data", resolve));
    incoming.destroy();
    assert.equal((await send(site.url, "/status/200/")).text, "status 200");
    // The view hears of it at its next piece, and makes no more of them.
    let before = -1;
    for (;;) {
      const { produced } = await json<{ produced: number }>(site.url, "/produced/");
      if (produced === before) break;
      before = produced;
      await setTimeout(200);
    }
  });

  test("callbacks of the event loop may query and wait", async () => {
    const { count, slept } = await json(site.url, "/callback/");
    assert.deepEqual([typeof count, slept], ["number", true]);
  });

  for (const path of ["/bindings/", "/bindings-async/"]) {
    test(`bindings are reached from ${path}`, async () => {
      assert.deepEqual(await json(site.url, path), { imported: "hello", request: "hello", variable: "configured-FROM_CONFIGURATION" });
    });
  }
});
