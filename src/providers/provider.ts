import type { ReplyRequest, ReplyStream } from "../core/reply.ts";

/** A question on its way out: its token is the secret itself. */
export interface OpenRequest extends ReplyRequest {
  /** Whether http and private addresses may be called. */
  privateAllowed: boolean;
}

/** How the endpoints of one connector type are asked. */
export interface Provider {
  /** The base address where the endpoint names none; `null` where it must. `""` for one that needs no address. */
  defaultUri: string | null;
  /** Asks and tells what comes back. Stops, without an end event, when the signal is aborted. Never throws for what a provider did. */
  ask(request: OpenRequest, signal: AbortSignal): ReplyStream;
}

/** The params that are Parley's own: they steer the call and are never sent. */
export const OWN_PARAMS = ["timeout_ms", "first_token_ms", "idle_ms", "max_attempts"] as const;

/** How long a whole reply may take, in milliseconds, unless `params.timeout_ms` says otherwise. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** A request's params, parted into what is sent and how long the reply may take. */
export function readParams(params: string): { sent: Record<string, unknown>; timeoutMs: number } {
  const all = JSON.parse(params) as Record<string, unknown>;
  const own: readonly string[] = OWN_PARAMS;
  const sent = Object.fromEntries(Object.entries(all).filter(([name]) => !own.includes(name)));
  return { sent, timeoutMs: numberOf(all["timeout_ms"]) ?? DEFAULT_TIMEOUT_MS };
}

/** A param of Parley's own as a number, where it is one or is the text of one. */
export function numberOf(value: unknown): number | null {
  const number = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : null;
}
