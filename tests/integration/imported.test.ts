/** What modules do when they are imported, and every Worker has to do for itself. */
import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { keeping, searched, WITHOUT } from "../support/environment.ts";
import { json } from "../support/http.ts";
import { buildProject, type Recorded } from "../support/project.ts";
import { serve } from "../support/worker.ts";

describe("what is random", () => {
  const KEY = "import secrets\nimport uuid\n\nKEY = secrets.token_hex()\n";
  /** Files of a project that each Worker is to have random values of, and who is named for it. */
  const CASES = {
    "of a module": { kept: KEY, answer: "KEY", named: "captured.views" },
    "of an object that a module makes": { kept: `${KEY}class Client:\n    def __init__(self):\n        self.session = uuid.uuid4().hex\n\n\nclient = Client()\n`, answer: "client.session", named: "captured.views" },
    "of an app's ready()": { kept: "from django.apps import apps\n", answer: "apps.get_app_config('captured').key", apps: `from django.apps import AppConfig\nfrom django.utils.crypto import get_random_string\n\n\nclass Captured(AppConfig):\n    name = "captured"\n\n    def ready(self):\n        self.key = get_random_string(32)\n`, named: "captured.apps" },
    "of the settings": { kept: "", answer: "settings.KEY", settings: KEY },
    "of the WSGI module": { kept: "", answer: "request.META['KEY']", wsgi: `${KEY}inner = application\n\n\ndef application(environ, start_response):\n    return inner({**environ, "KEY": KEY}, start_response)\n` },
    "of a view": { kept: "from os import urandom\n", answer: "urandom(16).hex()" },
  } as Record<string, { kept: string; answer: string; apps?: string; settings?: string; wsgi?: string; named?: string }>;

  for (const [what, { kept, answer, apps, settings = "", wsgi = "", named }] of Object.entries(CASES)) {
    test(`${what} is not the same in every Worker`, async () => {
      const folder = keeping(`random-${Object.keys(CASES).indexOf(what)}`, kept, answer);
      if (apps) writeFileSync(join(folder, "captured", "apps.py"), apps);
      appendFileSync(join(folder, "config", "settings.py"), settings);
      appendFileSync(join(folder, "config", "wsgi.py"), wsgi);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: WITHOUT, recorded });
      const inImage = searched(built.folder)("a text of the view's own").includes("image.bin, unpacked");
      assert.equal(inImage, named === undefined);
      if (named === undefined) assert.deepEqual(recorded.warnings, []);
      else assert.match(recorded.warnings.join(), new RegExp(`what is random would be the same in every Worker, and it is asked for while the project is imported, by ${named}\\.`));
      const found = new Set<unknown>();
      for (let start = 0; start < 2; start++) {
        const site = await serve(built);
        found.add((await json(site.url, "/"))["found"]);
        await site.stop();
      }
      assert.equal(found.size, 2, [...found].join());
    });
  }
});

describe("the time", () => {
  const NOW = "import datetime\nimport time\nfrom django.utils import timezone\nfrom time import time as seconds\n\n";
  for (const [how, said] of [
    ["YEAR = datetime.date.today().year", true],
    ["NOW = timezone.now()", true],
    ["NOW = datetime.datetime.now(tz=datetime.UTC)", true],
    ["class Form:\n    years = range(1900, timezone.localdate().year)", true],
    ["def view(since=time.time()):\n    pass", true],
    ["if True:\n    STARTED = seconds()", false],
    ["OPENS = datetime.time(9, 0)\nNEVER = datetime.datetime.fromtimestamp(0)\nDEFAULT = timezone.now", false],
    ["def ago():\n    return [timezone.now() for _ in range(3)]", false],
  ] as const) {
    test(`${said ? "is asked for" : "is not seen to be asked for"} while a module with ${JSON.stringify(how)} is imported`, async () => {
      const folder = keeping("dated", `${NOW}${how}\n`, "True");
      appendFileSync(join(folder, "config", "settings.py"), "import datetime\nYEAR = datetime.date.today().year\n");
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: WITHOUT, recorded });
      const told = /the time would be that of the build in every Worker, and it is asked for while the project is imported, by captured\.views\./;
      assert.equal(told.test(recorded.warnings.join()), said, recorded.warnings.join());
      assert.equal(searched(built.folder)("a text of the view's own").includes("image.bin, unpacked"), !said);
    });
  }
});

describe("files", () => {
  const MODULES = "import os\nimport tempfile\nfrom pathlib import Path\n\n";
  const LOGS = `
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {
        "file": {"class": "logging.FileHandler", "filename": BASE / "logs/all.log"},
        "rotating": {"class": "logging.handlers.RotatingFileHandler", "filename": BASE / "logs/rotating.log", "maxBytes": 100, "backupCount": 1},
    },
    "root": {"handlers": ["file", "rotating"], "level": "INFO"},
}
`;
  const SETTINGS = `from pathlib import Path\n\nBASE = Path(__file__).resolve().parent.parent\n(BASE / "logs").mkdir(exist_ok=True)\n(BASE / "logs/settings.txt").write_text("of the settings")\n${LOGS}`;
  for (const [what, kept, answer, found, left] of [
    ["a folder that a module makes", "Path('made/deep').mkdir(parents=True, exist_ok=True)", "Path('made/deep/a.txt').write_text('text')", 4, "made/deep"],
    ["a temporary folder", "FOLDER = tempfile.mkdtemp(prefix='mine-')", "Path(FOLDER, 'a.txt').write_text('text')", 4, "/tmp/mine-\\w+"],
    ["a file that a module writes", "Path('written.txt').write_text('text')", "Path('written.txt').read_text()", "text", "written\\.txt"],
    ["a file that stays open", "FILE = open('manage.py')", "FILE.seek(0) or FILE.read(2)", "#!", "manage\\.py"],
    ["a file that is read", "TEXT = Path('manage.py').read_text()[:2]", "TEXT", "#!", undefined],
    ["the settings' folder", "", "Path('logs/settings.txt').read_text()", "of the settings", undefined],
    ["a log", "import logging", "logging.getLogger('any').info('said') or Path('logs/all.log').read_text() + Path('logs/rotating.log').read_text()", "said\nsaid\n", undefined],
  ] as const) {
    test(`${what} is there in a Worker`, async () => {
      const folder = keeping("files", `${MODULES}${kept}\n`, answer);
      appendFileSync(join(folder, "config", "settings.py"), SETTINGS);
      const recorded: Recorded = { steps: [], warnings: [] };
      const built = await buildProject(folder, { environment: WITHOUT, recorded });
      const warnings = recorded.warnings.join();
      if (left === undefined) assert.equal(warnings, "");
      else assert.match(warnings, new RegExp(`would be missing in a Worker: ${left}\\. Make or open them where they are used`));
      assert.equal(searched(built.folder)("a text of the view's own").includes("image.bin, unpacked"), left === undefined);
      const site = await serve(built);
      try {
        assert.equal((await json(site.url, "/"))["found"], found);
      } finally {
        await site.stop();
      }
    });
  }
});
