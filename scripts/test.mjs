// `npm test`: every test there is; `npm test -- unit python` runs the suites that are named.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("scripts/suites.ts", process.argv.slice(2));
});
