/** `npm run client:pack`: makes the package `parley-client` in `dist`, ready to install or to publish. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { makePackage } from "./client-package/make-package.ts";
import { ROOT } from "./settings.ts";

const folder = join(ROOT, "dist/client");
makePackage(folder);
const { status } = spawnSync("npm", ["pack", "--pack-destination", join(ROOT, "dist")], {
  cwd: folder,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
