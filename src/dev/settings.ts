/**
 * The settings of a local run: from the arguments for `wrangler dev`, `.dev.vars`, and defaults that need no account.
 *
 * Reads `.dev.vars`.
 */
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { LOCAL_SECRETS } from "../core/local-start.ts";

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, "../..");

export const LOOPBACK = "127.0.0.1";
export const DEFAULT_PORT = 8787;
export const DEFAULT_ADDRESS = `http://${LOOPBACK}:${DEFAULT_PORT}`;

/** Defaults. `.dev.vars` and `--var` override them. */
const LOCAL_VARIABLES = {
  LOCAL: "true",
  ...LOCAL_SECRETS,
  ALLOW_PRIVATE_ENDPOINTS: "1",
  RATE_LIMITS: "off",
};

export interface Settings {
  protocol: "http" | "https";
  ip: string;
  port: number;
  /** Absolute. Holds the local D1 and the objects' storage. */
  stateFolder: string;
  adminKey: string;
  migrateArguments: string[];
  devArguments: string[];
}

/** @param args arguments for `wrangler dev`; missing ones are added */
export function readSettings(args: string[]): Settings {
  const { protocol, port, ip, state, variables: givenVariables } = readArguments(args);
  const variables = { ...readDevVars(), ...givenVariables };
  // A key that is empty has not been filled in yet. Any other variable may be empty on purpose.
  const isMissing = (name: string) => (name.endsWith("_KEY") ? !variables[name] : variables[name] === undefined);
  const added = Object.entries(LOCAL_VARIABLES).filter(([name]) => isMissing(name));
  return {
    protocol: protocol === "https" ? "https" : "http",
    ip: ip ?? LOOPBACK,
    port: Number(port ?? DEFAULT_PORT),
    stateFolder: resolve(ROOT, state ?? ".wrangler/state"),
    adminKey: adminKeyOf(variables),
    migrateArguments: ["d1", "migrations", "apply", "DB", "--local", ...(state ? ["--persist-to", state] : [])],
    devArguments: [
      "dev",
      "--local",
      ...args,
      ...(port ? [] : ["--port", String(DEFAULT_PORT)]),
      ...(ip ? [] : ["--ip", LOOPBACK]),
      ...added.flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
  };
}

/** The admin key of a local run, unless its command line sets another. */
export const localAdminKey = (): string => adminKeyOf(readDevVars());

const adminKeyOf = (variables: NodeJS.Dict<string>): string => variables["ADMIN_KEY"] || LOCAL_VARIABLES.ADMIN_KEY;

function readDevVars(): NodeJS.Dict<string> {
  const file = resolve(ROOT, ".dev.vars");
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}

function readArguments(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    options: {
      port: { type: "string" },
      ip: { type: "string" },
      "local-protocol": { type: "string" },
      "persist-to": { type: "string" },
      var: { type: "string", multiple: true },
    },
    strict: false,
    allowPositionals: true,
  });
  // `--var A:1 B:2` sets several variables. `parseArgs` takes all but the first for positionals.
  const variables = [values.var ?? [], positionals].flat().map((pair) => String(pair).split(/:(.*)/s, 2));
  return {
    protocol: textOf(values["local-protocol"]),
    port: textOf(values.port),
    ip: textOf(values.ip),
    state: textOf(values["persist-to"]),
    variables: Object.fromEntries(variables) as NodeJS.Dict<string>,
  };
}

const textOf = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
