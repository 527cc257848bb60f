/** Wrangler as a library. */

/**
 * Calls something of Wrangler's that tells what it is doing on standard output, which belongs to management commands:
 * `dumpdata > data.json`. What it says there reaches a terminal, where it may ask to log in, and nothing else.
 */
export async function quietly<Result>(call: (wrangler: typeof import("wrangler")) => Result | Promise<Result>): Promise<Result> {
  const { WRANGLER_LOG } = process.env;
  if (!process.stdout.isTTY) process.env["WRANGLER_LOG"] ??= "warn";
  try {
    return await call(await import("wrangler"));
  } finally {
    if (WRANGLER_LOG === undefined) delete process.env["WRANGLER_LOG"];
  }
}
