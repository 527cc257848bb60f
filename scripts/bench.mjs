// `npm run bench`: the measurements, as ratios within one run; `npm run bench -- --json FILE` writes them too.
import { main } from "./lib/terminal.mjs";
import { prepare, runTypeScript } from "./lib/prepare.mjs";

await main(async () => {
  prepare();
  return runTypeScript("bench/run.ts", process.argv.slice(2));
});
