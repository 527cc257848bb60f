/** What the scripts of this repository print. */
const colours = process.stderr.isTTY && !process.env["NO_COLOR"];
/** @param {number} code @param {string} text */
export const paint = (code, text) => (colours ? `\u001b[${code}m${text}\u001b[0m` : text);

/** @param {string} text */
export const say = (text) => void process.stderr.write(`${text}\n`);

/** @param {string} text */
export const step = (text) => say(`${paint(36, "›")} ${text} …`);

/** Something that the user can mend: one line, no stack. */
export class Refusal extends Error {}

/** What is wrong with the arguments, as parseArgs tells it. https://nodejs.org/api/errors.html#err_parse_args_unknown_option
 * @param {unknown} error @returns {error is TypeError} */
const refusesArguments = (error) => error instanceof TypeError && "code" in error && String(error.code).startsWith("ERR_PARSE_ARGS_");

/** Runs a script's main function; a {@link Refusal}, and arguments that it does not take, become one line and exit code 1.
 * @param {() => Promise<number>} run */
export async function main(run) {
  try {
    process.exitCode = await run();
  } catch (error) {
    if (!(error instanceof Refusal) && !refusesArguments(error)) throw error;
    say(`${paint(31, "✘")} ${error.message}`);
    process.exitCode = 1;
  }
}
