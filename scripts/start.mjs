// `npm start`: from a fresh clone to the example's site, served by workerd on this machine.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("scripts/demo.ts", process.argv.slice(2));
});
