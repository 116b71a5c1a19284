/** The OpenAPI document against a linter that others use. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { apiDocument } from "../../../src/api-docs.ts";

const root = new URL("../../../", import.meta.url).pathname;

it("passes the OpenAPI linter, by its strict rules", () => {
  const folder = mkdtempSync(join(tmpdir(), "parley-openapi-"));
  const file = join(folder, "openapi.json");
  writeFileSync(file, JSON.stringify(apiDocument));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [`${root}node_modules/@redocly/cli/bin/cli.js`, "lint", "--extends", "recommended-strict", file],
    {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" },
    },
  );
  rmSync(folder, { recursive: true });
  expect(status, stdout + stderr).toBe(0);
});
