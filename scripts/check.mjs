// `npm run check`: types and lint, which take seconds.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("scripts/suites.ts", ["types", "lint"]);
});
