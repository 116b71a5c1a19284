/**
 * `npm run docs:pictures`: makes the pictures of the guides again, from what there is: the recording of the demo, and pages in a
 * browser, which `test/browser/guide-pictures.test.ts` opens. Starts processes; writes into `src/docs/images`.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recordDemo } from "./pictures/record-demo.ts";
import { terminalSvg } from "./pictures/terminal-svg.ts";
import { UserError, runProgram } from "./program.ts";
import { ROOT } from "./settings.ts";

const IMAGES = join(ROOT, "src/docs/images");

/** Where the test in the browser writes pictures. */
const MADE = join(ROOT, "dist/pictures");

await runProgram(async () => {
  rmSync(MADE, { recursive: true, force: true });
  const vitest = ["node_modules/vitest/vitest.mjs", "run", "--config", "test/vitest.config.ts", "guide-pictures"];
  // The test fails where the guides show another page, which is why this is run.
  spawnSync(process.execPath, vitest, { cwd: ROOT, stdio: "inherit" });
  const made = existsSync(MADE) ? readdirSync(MADE) : [];
  if (made.length === 0) throw new UserError("No page could be opened in a browser.");
  for (const name of made) copyFileSync(join(MADE, name), join(IMAGES, name));
  const title =
    "Output of npm run demo: chats, one prompt to five endpoints, WebSockets, a take-over, an adopted answer";
  const recording = { title, command: "npm run demo", output: await recordDemo() };
  writeFileSync(join(IMAGES, "demo.svg"), terminalSvg(recording));
  console.info(`Made: ${[...made, "demo.svg"].join(", ")}`);
  return 0;
});
