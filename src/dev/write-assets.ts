/** Makes the static assets. Wrangler runs this program before it bundles the Worker: the `[build]` command of `wrangler.toml`. */
import { writeAssets } from "./assets.ts";
import { runProgram } from "./program.ts";

await runProgram(async () => {
  await writeAssets();
  return 0;
});
