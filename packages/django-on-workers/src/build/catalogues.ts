/** Message catalogues: a `.po` file whose `.mo` file is missing or older is compiled, as `compilemessages` would. */
import { readFileSync, statSync } from "node:fs";
import { mo, po } from "gettext-parser";
import { UserError } from "../contract/errors.ts";

/** The compiled catalogue, or nothing where the project's own is current. */
export function compileCatalogue(path: string, absolute: string): Uint8Array | undefined {
  const compiled = statSync(absolute.replace(/\.po$/, ".mo"), { throwIfNoEntry: false });
  if (compiled && compiled.mtimeMs >= statSync(absolute).mtimeMs) return undefined;
  try {
    const parsed = po.parse(readFileSync(absolute));
    // As msgfmt does: a translation that is marked as a guess is not used. The header is marked in many files.
    for (const messages of Object.values(parsed.translations)) {
      for (const [id, { comments }] of Object.entries(messages)) {
        if (id !== "" && /\bfuzzy\b/.test(comments?.flag ?? "")) delete messages[id];
      }
    }
    return mo.compile(parsed);
  } catch (error) {
    throw new UserError("DOW_CATALOGUE_INVALID", `${path} can't be compiled: ${(error as Error).message}`);
  }
}
