/** Message catalogues, read back by Python's own gettext. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { compileCatalogue } from "../src/build/catalogues.ts";
import { UserError } from "../src/contract/errors.ts";

const PO = `msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Plural-Forms: nplurals=2; plural=(n > 1);\\n"

msgid "Good morning"
msgstr "Bonjour à tous"

msgctxt "month"
msgid "May"
msgstr "mai"

msgid "%d post"
msgid_plural "%d posts"
msgstr[0] "%d billet"
msgstr[1] "%d billets"

#, fuzzy
msgid "Unsure"
msgstr "Incertain"

msgid "Untranslated"
msgstr ""
`;
const READ = `
import gettext, sys
found = gettext.GNUTranslations(sys.stdin.buffer)
print(found.gettext("Good morning"), found.pgettext("month", "May"), found.gettext("May"), found.gettext("Unsure"), found.gettext("Untranslated"))
print(*(found.ngettext("%d post", "%d posts", n) % n for n in (0, 1, 2)))
`;

let folder: string;
let po: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "catalogue-"));
  po = join(folder, "django.po");
});
afterEach(() => rmSync(folder, { recursive: true }));

test("translations, contexts and plurals are there; what is fuzzy or empty is not", () => {
  writeFileSync(po, PO);
  const { stdout, stderr } = spawnSync("python3", ["-X", "utf8", "-c", READ], { input: compileCatalogue("django.po", po), encoding: "utf8" });
  assert.equal(stdout, "Bonjour à tous mai May Unsure Untranslated\n0 billet 1 billet 2 billets\n", stderr);
});

test("a compiled catalogue that is newer is left alone, an older one is not", () => {
  writeFileSync(po, PO);
  const mo = join(folder, "django.mo");
  writeFileSync(mo, "");
  utimesSync(po, 1000, 1000);
  utimesSync(mo, 2000, 2000);
  assert.equal(compileCatalogue("django.po", po), undefined);
  utimesSync(mo, 500, 500);
  assert.notEqual(compileCatalogue("django.po", po), undefined);
});

test("one that can't be read is named", () => {
  writeFileSync(po, 'msgid "a\nmsgstr');
  assert.throws(() => compileCatalogue("locale/fr/django.po", po), (error: unknown) => error instanceof UserError && error.code === "DOW_CATALOGUE_INVALID" && error.message.startsWith("locale/fr/django.po"));
});
