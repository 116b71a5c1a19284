/** What `npm install` fetches and runs, and what Cloudflare's Deploy button asks for. */
import { readFileSync } from "node:fs";
import { parseEnv } from "node:util";
import { describe, expect, it } from "vitest";

const root = new URL("../../../", import.meta.url).pathname;
const read = (name: string) => readFileSync(root + name, "utf8");

interface Locked {
  version?: string;
  integrity?: string;
  bin?: Record<string, string>;
  engines?: { node: string };
  hasInstallScript?: boolean;
  optional?: boolean;
}

const lock = JSON.parse(read("package-lock.json")) as { packages: Record<string, Locked> };
const manifest = JSON.parse(read("package.json")) as {
  engines: { node: string };
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  allowScripts: Record<string, boolean>;
  optionalDependencies: Record<string, string>;
  cloudflare: { bindings: Record<string, { description: string }> };
};
const locked = Object.entries(lock.packages).filter(([path]) => path !== "");

describe("npm install", () => {
  it("fetches nothing whose content the lock file does not pin", () => {
    expect(locked.filter(([, { integrity }]) => !integrity?.startsWith("sha512-"))).toEqual([]);
  });

  it("takes exactly the versions that are named", () => {
    const named = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies };
    const pinned = Object.keys(named).map((name) => [name, lock.packages[`node_modules/${name}`]?.version]);
    const exact = Object.entries(named).map(([name, version]) => [name, version.replace(/^npm:.+@/, "")]);
    expect(exact).toEqual(pinned);
  });

  it("runs with the Node that npm needs, and asks for no newer one", () => {
    expect(manifest.engines).toEqual({ node: ">=20" });
    expect(lock.packages[""]?.engines).toEqual(manifest.engines);
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

describe("the scripts of package.json", () => {
  it("run by name only, and none by itself at an install", () => {
    const atInstall = ["preinstall", "install", "postinstall", "prepublish", "preprepare", "prepare", "postprepare"];
    expect(Object.keys(manifest.scripts).filter((name) => atInstall.includes(name))).toEqual([]);
  });

  it("run programs that the lock file pins, and fetch none", () => {
    const known = new Set(["node", "npm", ...locked.flatMap(([, { bin }]) => Object.keys(bin ?? {}))]);
    const commands = Object.values(manifest.scripts).flatMap((script) => script.split(/\s*(?:&&|\|\||[;|])\s*/));
    expect(commands.filter((command) => !known.has(command.split(" ")[0] ?? ""))).toEqual([]);
    expect(commands.filter((command) => /^npm (?!run )/.test(command))).toEqual([]);
  });
});

describe("the Deploy button", () => {
  it("asks for the two secrets alone, without values of a local start", () => {
    const asked = parseEnv(read(".dev.vars.example"));
    expect(asked).toEqual({ ADMIN_KEY: "", ENCRYPTION_KEY: "" });
    for (const name of Object.keys(asked)) expect(manifest.cloudflare.bindings[name]?.description).toContain("openssl");
  });
});
