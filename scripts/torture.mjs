// `npm run torture`: the properties of the database backends at full length; CONTRIBUTING.md has the options.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("torture/run.ts", process.argv.slice(2));
});
