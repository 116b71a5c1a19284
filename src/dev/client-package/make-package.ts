/**
 * Makes the package `parley-client` of `src/client`: JavaScript and types, without anything of the server. Reads and writes the
 * disk, runs the TypeScript compiler.
 */
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ROOT } from "../settings.ts";
import { writeTypes } from "./write-types.ts";

/** What the package does not have: the schemas, and the types as the source has them. */
const LEFT_OUT = ["schemas.ts", "types.ts"];

const COMPILER_OPTIONS = {
  target: "ES2022",
  lib: ["ES2022", "DOM", "DOM.Iterable", "DOM.AsyncIterable"],
  module: "ESNext",
  moduleResolution: "bundler",
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
  declaration: true,
};

interface Manifest {
  version: string;
  license: string;
  engines: { node: string };
  dependencies: Record<string, string>;
}

/** @param folder is emptied @throws if the client does not compile without the server */
export function makePackage(folder: string): void {
  const source = join(folder, "source");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(source, { recursive: true });
  for (const file of readdirSync(join(ROOT, "src/client")).filter((name) => !LEFT_OUT.includes(name)))
    copyFileSync(join(ROOT, "src/client", file), join(source, file));
  writeFileSync(join(source, "types.ts"), writeTypes());
  const options = { ...COMPILER_OPTIONS, rootDir: ".", outDir: ".." };
  writeFileSync(
    join(source, "tsconfig.json"),
    JSON.stringify({ compilerOptions: options, include: ["."], exclude: [] }),
  );
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const { status, stdout, stderr } = spawnSync(process.execPath, [compiler, "-p", source], { encoding: "utf8" });
  if (status !== 0) throw new Error(`The client does not compile:\n${stdout}${stderr}`);
  rmSync(source, { recursive: true });
  for (const file of readdirSync(folder).filter((name) => name.endsWith(".d.ts"))) renameImports(join(folder, file));
  writeFileSync(join(folder, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  copyFileSync(join(ROOT, "LICENSE"), join(folder, "LICENSE"));
  copyFileSync(join(ROOT, "src/docs/client.md"), join(folder, "README.md"));
}

/** The compiler renames imports in JavaScript only, and older compilers look for what declarations name. */
function renameImports(file: string): void {
  writeFileSync(file, readFileSync(file, "utf8").replace(/(from "\.\/[\w-]+)\.ts"/g, '$1.js"'));
}

function manifest() {
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Manifest;
  const parser = "eventsource-parser";
  return {
    name: "parley-client",
    version: own.version,
    description: "The client of Parley, the sessions API for talking with language models",
    license: own.license,
    type: "module",
    sideEffects: false,
    engines: own.engines,
    exports: {
      ".": { types: "./index.d.ts", default: "./index.js" },
      "./*": { types: "./*.d.ts", default: "./*.js" },
    },
    dependencies: { [parser]: own.dependencies[parser] },
  };
}
