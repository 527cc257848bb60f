// `npm run conformance`: Django's own test suite inside workerd; CONTRIBUTING.md has the options.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("conformance/run.ts", process.argv.slice(2));
});
