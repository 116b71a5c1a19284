/** How long it counts that a client exists and has a session, for its JWTs. */
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { del, get, post } from "../../support/api.ts";
import { signClientToken } from "../../support/client-token.ts";
import { breakD1, hangD1 } from "../../support/faults.ts";
import { createClient, createSession } from "../../support/create.ts";

let time = 0;

beforeEach(() => {
  // Not before what it was in the last test.
  time = Math.max(time, Date.now());
  vi.spyOn(Date, "now").mockImplementation(() => time);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const letTimePass = (seconds: number): void => void (time += seconds * 1_000);

/** A client with a JWT that has been used with a session, which its object holds. */
async function createCaller() {
  const clientId = await createClient();
  const sessionId = await createSession({ clientId });
  const token = await signClientToken(clientId);
  const stop = async () => {
    const { status, body, headers } = await post(`/sessions/${sessionId}/stop`, undefined, { token });
    return status === 200 ? 200 : [status, body.error.code, headers.get("retry-after")];
  };
  expect(await stop()).toBe(200);
  return { clientId, sessionId, token, stop };
}

const UNAVAILABLE = [503, "unavailable", "1"];

describe.each([
  ["fails", () => void breakD1()],
  ["does not answer", hangD1],
])("while D1 %s", (_, break_) => {
  it("a JWT counts for the session as it was last found, for five minutes and no longer", async () => {
    const { clientId, stop } = await createCaller();
    await env.DB.prepare("update clients set deleted_at = 1 where id = ?").bind(clientId).run();
    break_();
    letTimePass(40);
    expect(await stop()).toBe(200);
    letTimePass(259);
    expect(await stop()).toBe(200);
    letTimePass(1);
    expect(await stop()).toEqual(UNAVAILABLE);
    letTimePass(20);
    expect(await stop()).toEqual(UNAVAILABLE);
    vi.restoreAllMocks();
    vi.spyOn(Date, "now").mockImplementation(() => time);
    expect(await stop()).toEqual([404, "not_found", null]);
  });

  it("a JWT that was not used with the session is unavailable", async () => {
    const { clientId, token } = await createCaller();
    const other = await createSession({ clientId });
    break_();
    const { status, body } = await post(`/sessions/${other}/stop`, undefined, { token });
    expect([status, body.error.code]).toEqual([503, "unavailable"]);
  });
});

it("a lookup that fails does not hold up the calls of the next ten seconds", async () => {
  const { stop } = await createCaller();
  hangD1();
  letTimePass(40);
  expect(await stop()).toBe(200);
  const logged = vi.spyOn(console, "error");
  letTimePass(9);
  expect(await stop()).toBe(200);
  // The lookup in the background has not failed yet.
  expect(logged).not.toHaveBeenCalled();
  await vi.waitFor(() => expect(logged).toHaveBeenCalled(), { timeout: 10_000 });
});

it("a client that is deleted during a lookup is not found by it where it was deleted", async () => {
  const { clientId, sessionId, token } = await createCaller();
  await post(`/sessions/${sessionId}/end`);
  const status = async () => (await get(`/sessions/${sessionId}`, { token })).status;
  expect(await status()).toBe(200);
  letTimePass(16);
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const prepare = env.DB.prepare.bind(env.DB);
  const found: Promise<unknown>[] = [];
  const preparing = vi.spyOn(env.DB, "prepare").mockImplementation((sql) => {
    const prepared = prepare(sql);
    if (!sql.includes("inner join")) return prepared;
    const bind = prepared.bind.bind(prepared);
    prepared.bind = (...values) => {
      const bound = bind(...values);
      const raw = bound.raw.bind(bound) as () => Promise<unknown[]>;
      bound.raw = (async () => {
        const rows = await raw();
        found.push(released);
        await released;
        return rows;
      }) as typeof bound.raw;
      return bound;
    };
    return prepared;
  });
  expect(await status()).toBe(200);
  await vi.waitFor(() => expect(found).toHaveLength(1));
  expect((await del(`/clients/${clientId}`)).status).toBe(200);
  release();
  await scheduler.wait(50);
  preparing.mockRestore();
  expect(await status()).toBe(404);
});
