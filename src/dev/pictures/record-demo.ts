/** Runs `npm run demo` and records what it prints, when. Starts a process. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ROOT } from "../settings.ts";
import type { Printed } from "./terminal-svg.ts";

/** @throws if the demo fails */
export async function recordDemo(): Promise<Printed[]> {
  const output: Printed[] = [];
  const startedAt = performance.now();
  const demo = spawn(process.execPath, ["--no-warnings", join(ROOT, "src/dev/demo.ts")], {
    env: { ...process.env, FORCE_COLOR: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  demo.stdout.setEncoding("utf8").on("data", (text: string) => {
    output.push({ atMs: performance.now() - startedAt, text });
  });
  const exit = await new Promise<number | null>((resolve) => demo.on("close", resolve));
  if (exit !== 0) throw new Error(`npm run demo ended with ${exit}`);
  return output;
}
