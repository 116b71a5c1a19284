import { DAY_MS } from "./time.ts";

/**
 * How long the result of a request stays saved under its idempotency key, in milliseconds. After that the key can be
 * used for a new request.
 */
export const IDEMPOTENCY_PERIOD_MS = DAY_MS;
