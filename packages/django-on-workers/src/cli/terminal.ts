/** What the user sees. Progress goes to standard error, so that a command's own output can be piped. */
import type { Progress } from "../build/progress.ts";
import { UserError } from "../contract/errors.ts";

const colours = process.stderr.isTTY && !process.env["NO_COLOR"];
const paint = (code: number, text: string): string => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

export const say = (text: string): void => void process.stderr.write(`${text}\n`);

export const progress: Progress = {
  step: (text) => say(`${paint(36, "›")} ${text} …`),
  warn: (text) => say(`${paint(33, "!")} ${text}`),
};

export function reportError(error: unknown): void {
  if (error instanceof UserError) {
    say(`${paint(31, "✘")} ${error.message} (${error.code})`);
    if (error.detail) say(error.detail.replace(/^/gm, "  "));
  } else {
    say(`${paint(31, "✘")} This is a defect of django-on-workers; please report it with what follows.`);
    say(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}
