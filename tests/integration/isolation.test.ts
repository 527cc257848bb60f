/** Requests that interleave: each sees only what is its own. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { ALL, combinations, startBehaviour } from "../support/behaviour.ts";
import { json } from "../support/http.ts";
import { managed, serve } from "../support/worker.ts";

const CONCURRENT = 40;
const LANGUAGES = ["en", "fr", "de"];
const ZONES = ["Europe/Paris", "Asia/Tokyo", "America/New_York"];

combinations(ALL, (database, kind) => {
  let site: Awaited<ReturnType<typeof startBehaviour>>;
  before(async () => {
    site = await startBehaviour(database, kind);
  });
  after(() => site?.stop());

  for (const path of ["/isolation/", "/isolation-async/"]) {
    test(`${CONCURRENT} requests to ${path} at once`, async () => {
      const answers = await Promise.all(Array.from({ length: CONCURRENT }, (_, number) => json(site.url, `${path}?number=${number}`, { headers: { "accept-language": LANGUAGES[number % 3] } })));
      answers.forEach((answer, number) => {
        const nothing = { per_thread: null, by_thread: null, by_ident: null, per_request: null, variable: null, connection: null, in_atomic_block: false };
        assert.deepEqual(answer.before, { language: LANGUAGES[number % 3], zone: "America/Chicago", ...nothing }, `before ${number}`);
        const own = { per_thread: number, by_thread: number, by_ident: number, per_request: number, variable: number, connection: number, in_atomic_block: false };
        for (const seen of answer.looked) assert.deepEqual(seen, { language: LANGUAGES[number % 3], zone: ZONES[number % 3], ...own });
        if (path === "/isolation/") {
          assert.equal(answer.session, number);
          assert.equal(answer.inside, database === "durable-object" ? true : null);
        }
        assert.equal(answer.user, "AnonymousUser");
      });
    });
  }

  for (const kind of ["Lock", "RLock", "Condition", "Semaphore"]) {
    for (const path of ["locks", "locks-async"]) {
      test(`one at a time is inside a block of ${kind} that waits, /${path}/`, async () => {
        const answers = await Promise.all(Array.from({ length: 8 }, () => json(site.url, `/${path}/${kind}/`)));
        for (const answer of answers) assert.deepEqual(answer, { inside: 1 });
      });
    }
  }

  test("a module that waits while it is imported is whole for all who import it", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => json(site.url, "/locks-import/")));
    for (const answer of answers) assert.deepEqual(answer, { whole: true });
  });

  for (const kind of ["Queue", "SimpleQueue"]) {
    test(`requests hand over by a ${kind}`, async () => {
      const taken = Promise.all([1, 2, 3].map(() => json(site.url, `/locks-job/${kind}/`)));
      for (const job of ["a", "b", "c"]) await json(site.url, `/locks-job/${kind}/?put=${job}`);
      assert.deepEqual((await taken).map(({ job }) => job).sort(), ["a", "b", "c"]);
    });
  }

  test("each session is its own user's", async () => {
    const code = `
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
store = import_module(settings.SESSION_ENGINE).SessionStore
for number in range(10):
    user, _ = get_user_model().objects.get_or_create(username=f"user-{number}", defaults={"password": f"!{number}"})
    session = store()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.save()
    print(session.session_key)
`;
    await site.stop();
    const keys = (await managed(site.build, "shell", "--no-imports", "-c", code)).trim().split("\n");
    assert.equal(keys.length, 10);
    site = { build: site.build, ...(await serve(site.build)) };
    await Promise.all(
      Array.from({ length: CONCURRENT }, async (_, number) => {
        const cookie = `sessionid=${keys[number % 10]}`;
        const path = number % 2 ? "/isolation/" : "/isolation-async/";
        const { user } = await json(site.url, `${path}?number=${number}`, { headers: { cookie } });
        assert.equal(user, `user-${number % 10}`);
      }),
    );
  });
});
