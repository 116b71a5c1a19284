/** `npm run release:freeze`: makes this code the last release, against which later code is tested. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../bench/wrangler.ts";
import { buildBundle, freeze } from "./releases.node.ts";

mkdirSync(join(ROOT, "test/fixtures/last-release"), { recursive: true });
freeze(await buildBundle());
