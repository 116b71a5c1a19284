/**
 * The settings of a local run: from the arguments for `wrangler dev`, `.dev.vars`, and defaults that need no account.
 *
 * Reads `.dev.vars`, and can add to it.
 */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { parseArgs, parseEnv } from "node:util";
import { LOCAL_SECRETS } from "../core/local-start.ts";

/** The project's folder. */
export const ROOT = resolve(import.meta.dirname, "../..");

export const LOOPBACK = "127.0.0.1";
export const DEFAULT_PORT = 8787;
export const DEFAULT_ADDRESS = `http://${LOOPBACK}:${DEFAULT_PORT}`;

/** Where `wrangler dev` keeps its state by default. */
export const DEFAULT_STATE_FOLDER = resolve(ROOT, ".wrangler/state");

/** Set for the wrangler that `npm start` runs: everything is prepared. */
export const SKIPS_PREPARATION = "PARLEY_IS_PREPARED";

/** `wrangler dev` takes the first free one of these for its inspector, even the one on which callers are to reach it. */
const INSPECTOR_PORTS = { first: 9229, last: 9239 };

const DEV_VARS = resolve(ROOT, ".dev.vars");

/** Defaults. `.dev.vars` and `--var` override them. */
const LOCAL_VARIABLES = {
  LOCAL: "true",
  ...LOCAL_SECRETS,
  ALLOW_PRIVATE_ENDPOINTS: "1",
  RATE_LIMITS: "off",
  LOG_SAMPLING: "0",
};

export interface Settings {
  protocol: "http" | "https";
  /** Where callers reach Parley. */
  ip: string;
  port: number;
  /** Absolute. Holds the local D1 and the objects' storage. */
  stateFolder: string;
  adminKey: string;
  /** The names by which it may be called, as the variable `ALLOWED_HOSTS`. */
  allowedHosts: string;
  /** Without `--ip` and `--port`. */
  devArguments: string[];
}

/** @param args arguments for `wrangler dev`; missing ones are added */
export function readSettings(args: string[]): Settings {
  const {
    protocol,
    ip: givenIp,
    state,
    variables: givenVariables,
    hasInspectorPort,
    others,
    ...given
  } = readArguments(args);
  const ip = givenIp ?? LOOPBACK;
  const port = Number(given.port ?? DEFAULT_PORT);
  const variables = { ...readDevVars(), ...givenVariables };
  // Whoever lets other machines call has a key of their own, and they call by a name of this machine.
  const allowedHosts = isLoopback(ip) ? {} : { ALLOWED_HOSTS: "*" };
  const defaults = { ...LOCAL_VARIABLES, ...allowedHosts };
  return {
    protocol: protocol === "https" ? "https" : "http",
    ip,
    port,
    stateFolder: state === undefined ? DEFAULT_STATE_FOLDER : resolve(ROOT, state),
    adminKey: adminKeyOf(variables),
    allowedHosts: { ...allowedHosts, ...variables }.ALLOWED_HOSTS ?? "",
    devArguments: [
      "dev",
      "--local",
      ...others,
      ...(isInspectorPort(port) && !hasInspectorPort ? ["--inspector-port", "0"] : []),
      ...missingFrom(variables, defaults).flatMap(([name, value]) => ["--var", `${name}:${value}`]),
    ],
  };
}

const isInspectorPort = (port: number): boolean => port >= INSPECTOR_PORTS.first && port <= INSPECTOR_PORTS.last;

/** Whether only this machine reaches a server that listens on an ip. */
export const isLoopback = (ip: string): boolean =>
  ip === "localhost" || ip === "::1" || (isIP(ip) === 4 && ip.startsWith("127."));

/** Whether the admin key is the one that every reader of the README knows. */
export const hasDefaultKey = ({ adminKey }: Settings): boolean => adminKey === LOCAL_VARIABLES.ADMIN_KEY;

/** The defaults that are not set. A key that is empty has not been filled in yet. Any other variable may be empty on purpose. */
const missingFrom = (variables: NodeJS.Dict<string>, defaults: Record<string, string>): [string, string][] =>
  Object.entries(defaults).filter(([name]) =>
    name.endsWith("_KEY") ? !variables[name] : variables[name] === undefined,
  );

/**
 * Adds to `.dev.vars` what a local run needs and the file does not have, for a `wrangler dev` that nobody gives variables.
 *
 * @returns the names that were added
 */
export function addMissingVariables(): string[] {
  const missing = missingFrom(readDevVars(), LOCAL_VARIABLES);
  if (missing.length === 0) return [];
  const lines = missing.map(([name, value]) => `${name}="${value}"\n`);
  const separator = existsSync(DEV_VARS) ? "\n" : "";
  appendFileSync(
    DEV_VARS,
    `${separator}# Added by \`wrangler dev\` for this machine. Change what you like.\n${lines.join("")}`,
  );
  return missing.map(([name]) => name);
}

/** The admin key of a local run, unless its command line sets another. */
export const localAdminKey = (): string => adminKeyOf(readDevVars());

const adminKeyOf = (variables: NodeJS.Dict<string>): string => variables["ADMIN_KEY"] || LOCAL_VARIABLES.ADMIN_KEY;

function readDevVars(): NodeJS.Dict<string> {
  return existsSync(DEV_VARS) ? parseEnv(readFileSync(DEV_VARS, "utf8")) : {};
}

function readArguments(args: string[]) {
  const { values, positionals, tokens } = parseArgs({
    args,
    options: {
      port: { type: "string" },
      ip: { type: "string" },
      "inspector-port": { type: "string" },
      "local-protocol": { type: "string" },
      "persist-to": { type: "string" },
      var: { type: "string", multiple: true },
    },
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const addresses = tokens.filter((token) => token.kind === "option" && ["ip", "port"].includes(token.name));
  const others = args.filter((_, index) => !addresses.some((token) => isPartOf(token, index)));
  // `--var A:1 B:2` sets several variables. `parseArgs` takes all but the first for positionals.
  const variables = [values.var ?? [], positionals].flat().map((pair) => String(pair).split(/:(.*)/s, 2));
  return {
    protocol: textOf(values["local-protocol"]),
    port: textOf(values.port),
    ip: textOf(values.ip),
    state: textOf(values["persist-to"]),
    variables: Object.fromEntries(variables) as NodeJS.Dict<string>,
    hasInspectorPort: values["inspector-port"] !== undefined,
    others,
  };
}

/** Whether an argument belongs to an option: its name, or its value. */
const isPartOf = (option: { index: number; inlineValue?: boolean | undefined }, index: number): boolean =>
  index === option.index || (option.inlineValue === false && index === option.index + 1);

const textOf = (value: unknown): string | undefined => (typeof value === "string" && value !== "" ? value : undefined);
