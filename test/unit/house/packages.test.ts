/** What `npm install` fetches and runs, and what Cloudflare's Deploy button asks for. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url).pathname;
const read = (name: string) => readFileSync(root + name, "utf8");

interface Locked {
  integrity?: string;
  hasInstallScript?: boolean;
  optional?: boolean;
}

const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const manifest = JSON.parse(read("package.json")) as {
  allowScripts: Record<string, boolean>;
  optionalDependencies: Record<string, string>;
  cloudflare: { bindings: Record<string, { description: string }> };
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== "");

describe("npm install", () => {
  it("fetches nothing whose content the lock file does not pin", () => {
    expect(locked.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
  });

  it("runs no script of a package: a script could fetch what it likes", () => {
    const scripted = locked.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path);
    const names = new Set(scripted.map((path) => path.replace(/^.*node_modules\//, "")));
    expect(manifest.allowScripts).toEqual(Object.fromEntries([...names].map((name) => [name, false])));
  });

  it("brings a Node that runs the scripts, one of several by platform", () => {
    const versions = Object.entries(manifest.optionalDependencies).filter(([name]) => name.startsWith("node-"));
    expect(versions.length).toBeGreaterThan(3);
    for (const [name, version] of versions) {
      expect(version).toMatch(/^24\.\d+\.\d+$/);
      expect(lock.packages[`node_modules/${name}`]?.optional).toBe(true);
    }
    expect(process.version).toMatch(/^v24\./);
  });

  it("does not warn of every package that wants a newer Node than npm's own", () => {
    expect(read(".npmrc")).toMatch(/^loglevel=error$/m);
  });
});

describe("the Deploy button", () => {
  it("asks for the two secrets alone, without values of a local start", () => {
    const asked = parseEnv(read(".dev.vars.example"));
    expect(asked).toEqual({ ADMIN_KEY: "", ENCRYPTION_KEY: "" });
    for (const name of Object.keys(asked)) expect(manifest.cloudflare.bindings[name]?.description).toContain("openssl");
  });
});
