// `npm run hot-functions`: records which functions of Pyodide's wasm Workers run, after a change of Pyodide.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("scripts/hot-functions.ts", process.argv.slice(2));
});
