/** Logging that was configured in the image, and is configured again in the Worker that starts from it. */
import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { writeVariables } from "../support/behaviour.ts";
import { keeping, searched, WITHOUT } from "../support/environment.ts";
import { json } from "../support/http.ts";
import { buildProject } from "../support/project.ts";
import { logged, managed, serve } from "../support/worker.ts";

/** Without `disable_existing_loggers`, which is true then: what exists before it is silenced, modules come after. */
const CONFIGURATION = `{
    "version": 1,
    "handlers": {"console": {"class": "logging.StreamHandler"}, "null": {"class": "logging.NullHandler"}},
    "loggers": {"named": {"level": os.environ.get("LEVEL", "INFO"), "handlers": ["null"]}},
    "root": {"handlers": ["console"], "level": "INFO"},
}`;

const WAYS: Record<string, string> = {
  LOGGING: `LOGGING = ${CONFIGURATION}`,
  "dictConfig() in the settings": `import logging.config\nLOGGING_CONFIG = None\nlogging.config.dictConfig(${CONFIGURATION})`,
  "fileConfig() in the settings": `
import io
import logging.config

LOGGING_CONFIG = None
logging.config.fileConfig(io.StringIO(f"""
[loggers]
keys=root,named
[handlers]
keys=console,null
[formatters]
keys=
[logger_root]
handlers=console
level=INFO
[logger_named]
qualname=named
handlers=null
level={os.environ.get("LEVEL", "INFO")}
[handler_console]
class=StreamHandler
[handler_null]
class=NullHandler
"""))`,
};

const KEPT = `import logging
logger = logging.getLogger(__name__)
quiet = logging.getLogger("named.quiet")
quiet.setLevel(logging.ERROR)
quiet.propagate = False


class Counting(logging.Handler):
    records = 0

    def emit(self, record):
        Counting.records += 1


for name in ("named", "named.quiet"):
    logging.getLogger(name).addHandler(Counting())


def said():
    Counting.records = 0
    logger.warning("a-distinctive-warning")
    logging.getLogger("named").warning("one")
    quiet.warning("none")
    quiet.error("two")
    return Counting.records

early, named = logging.getLogger("early"), logging.getLogger("named")
`;

const ANSWER = "[logger.disabled, early.disabled, named.level, [type(handler).__name__ for handler in named.handlers], quiet.level, quiet.propagate, said()]";

describe("logging of modules in the image", () => {
  for (const [way, configuration] of Object.entries(WAYS)) {
    test(`is as the modules have set it, after ${way}`, async () => {
      const folder = keeping(`logging-${Object.keys(WAYS).indexOf(way)}`, KEPT, ANSWER);
      appendFileSync(join(folder, "config", "settings.py"), `import logging\nlogging.getLogger("early")\n${configuration}\n`);
      const built = await buildProject(folder, { environment: WITHOUT });
      assert.ok(searched(built.folder)("a text of the view's own").includes("image.bin, unpacked"));
      for (const level of [undefined, "ERROR"]) {
        writeVariables(folder, level === undefined ? {} : { LEVEL: level });
        const site = await serve(built);
        try {
          const { found } = (await json(site.url, "/")) as { found: unknown };
          assert.deepEqual(found, [false, true, level === undefined ? 20 : 40, ["NullHandler", "Counting"], 40, false, level === undefined ? 2 : 1]);
          assert.ok(await logged(site, /a-distinctive-warning/), JSON.stringify(site.logs));
        } finally {
          await site.stop();
        }
      }
      const print = `from captured import views as v\nprint(v.logger.disabled, v.early.disabled, len(v.named.handlers))`;
      assert.equal((await managed(built, "shell", "--no-imports", "-c", print)).trim(), "False True 2");
    });
  }
});
