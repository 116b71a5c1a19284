import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs, parseEnv } from "node:util";

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, "../..");

export const LOOPBACK = "127.0.0.1";
export const DEFAULT_PORT = 8787;
export const DEFAULT_ADDRESS = `http://${LOOPBACK}:${DEFAULT_PORT}`;

/** What the Worker is given locally, unless `.dev.vars` or `--var` gives it something else. */
const LOCAL_VARIABLES = {
  ADMIN_KEY: "parley-dev",
  ALLOW_PRIVATE_ENDPOINTS: "1",
  RATE_LIMITS: "off",
  // 32 bytes in base64, and no secret.
  ENCRYPTION_KEY: "cGFybGV5IHNlYWxzIGxvY2FsIHRva2VucyBvbmx5ISE=",
};

/** What a local run was asked for. */
export interface Settings {
  protocol: "http" | "https";
  ip: string;
  port: number;
  /** Where the local database lies. */
  stateFolder: string;
  adminKey: string;
  migrateArguments: string[];
  devArguments: string[];
}

/** Reads what was meant for `wrangler dev`, and adds what was left open. */
export function readSettings(given: string[]): Settings {
  const { protocol, port, ip, state, variables } = readArguments(given);
  const set = { ...readDevVars(), ...variables };
  // An empty key is a form not filled in; any other variable may be meant to be empty.
  const isOpen = (name: string) => (name.endsWith("_KEY") ? !set[name] : set[name] === undefined);
  const added = Object.entries(LOCAL_VARIABLES).filter(([name]) => isOpen(name));
  return {
    protocol: protocol === "https" ? "https" : "http",
    ip: ip ?? LOOPBACK,
    port: Number(port ?? DEFAULT_PORT),
    stateFolder: resolve(ROOT, state ?? ".wrangler/state"),
    adminKey: adminKeyOf(set),
    migrateArguments: ["d1", "migrations", "apply", "DB", "--local", ...(state ? ["--persist-to", state] : [])],
    devArguments: [
      "dev",
      "--local",
      ...given,
      ...(port ? [] : ["--port", String(DEFAULT_PORT)]),
      ...(ip ? [] : ["--ip", LOOPBACK]),
      ...added.flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
  };
}

/** The admin key of a local run that was given no other on its command line. */
export const localAdminKey = (): string => adminKeyOf(readDevVars());

const adminKeyOf = (set: NodeJS.Dict<string>): string => set["ADMIN_KEY"] || LOCAL_VARIABLES.ADMIN_KEY;

function readDevVars(): NodeJS.Dict<string> {
  const file = resolve(ROOT, ".dev.vars");
  return existsSync(file) ? parseEnv(readFileSync(file, "utf8")) : {};
}

function readArguments(given: string[]) {
  const { values, positionals } = parseArgs({
    args: given,
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
  // One `--var` may be followed by several variables: all but the first of them look like positionals.
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
