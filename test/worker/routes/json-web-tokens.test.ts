/** Callers with JWTs, and callers without a token. */
import { importJWK, SignJWT } from "jose";
import { beforeEach, describe, expect, inject, it, vi } from "vitest";
import { get, post } from "../../support/api.ts";
import { connect } from "../../support/follow.ts";
import { createChatbot, createClient, createSession } from "../../support/create.ts";
import { setVariables } from "../../support/settings.ts";

const ISSUER = "https://identity.example";
const AUDIENCE = "parley";
const KEYS = inject("signingKeys");

let scene = "";
let count = 0;

/** A key set for each test, so that none is cached from before. */
function use(name: string): void {
  scene = `${name}-${(count += 1)}`;
  setVariables({
    JWT_JWKS_URL: `${inject("identityProvider")}/${scene}/keys`,
    JWT_ISSUER: ISSUER,
    JWT_AUDIENCE: AUDIENCE,
  });
}

const asked = async (): Promise<number> => (await fetch(`${inject("identityProvider")}/${scene}/asked`)).json();

const seconds = () => Math.floor(Date.now() / 1000);

interface Signed {
  key?: keyof typeof KEYS;
  header?: Record<string, unknown>;
}

const good = () => ({
  iss: ISSUER,
  aud: AUDIENCE as string | string[],
  sub: "ada",
  exp: seconds() + 300,
  role: "service",
});

async function token(claims: Record<string, unknown> = {}, { key = "rsa", header = {} }: Signed = {}): Promise<string> {
  const { kid, alg, ...jwk } = KEYS[key];
  const given = Object.fromEntries(
    Object.entries<unknown>({ ...good(), ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(given).setProtectedHeader({ alg, kid, ...header }).sign(await importJWK(jwk, alg));
}

const statusWith = async (jwt: string) => (await get("/sessions", { token: jwt })).status;

beforeEach(() => use("steady"));

describe("a JWT", () => {
  it.each(["rsa", "ec"] as const)("that is signed with the provider's %s key is accepted", async (key) => {
    expect(await statusWith(await token({}, { key }))).toBe(200);
    expect(await statusWith(await token({ aud: ["other", AUDIENCE] }, { key }))).toBe(200);
  });

  it("is accepted for half a minute after its expiry, and no longer", async () => {
    expect(await statusWith(await token({ exp: seconds() - 20 }))).toBe(200);
    expect(await statusWith(await token({ exp: seconds() - 40 }))).toBe(401);
    expect(await statusWith(await token({ nbf: seconds() + 20 }))).toBe(200);
    expect(await statusWith(await token({ nbf: seconds() + 60 }))).toBe(401);
  });

  it.each([
    ["of another issuer", { iss: "https://elsewhere.example" }],
    ["without an issuer", { iss: undefined }],
    ["for another audience", { aud: "elsewhere" }],
    ["for no audience", { aud: undefined }],
    ["for a list of others", { aud: ["a", "b"] }],
    ["without an end", { exp: undefined }],
    ["whose end is no number", { exp: "tomorrow" }],
    ["whose end is after the year 9999", { exp: Date.UTC(10_000, 0, 1) / 1000 }],
    ["whose end is no date, as if it were in milliseconds", { exp: 1e13 }],
    ["without a subject", { sub: undefined }],
    ["without a subject, for a client", { sub: undefined, role: "client", client_id: "65f3a1b2c4d5e6f708192a3c" }],
    ["with an empty subject", { sub: "" }],
    ["whose subject is no text", { sub: 7 }],
    ["with a subject of 1,025 characters", { sub: "s".repeat(1_025) }],
  ])("%s is 401", async (_, claims) => {
    expect(await statusWith(await token(claims))).toBe(401);
  });

  it("may end in the year 9999", async () => {
    const { status, body } = await get("/me", { token: await token({ exp: Date.UTC(9999, 11, 31) / 1000 }) });
    expect([status, body.data.expiresAt]).toEqual([200, "9999-12-31T00:00:30.000Z"]);
  });

  it("may have a subject of 1,024 characters", async () => {
    expect(await statusWith(await token({ sub: "s".repeat(1_024) }))).toBe(200);
  });

  it("that anyone could have made, or with an algorithm that is not accepted, is 401", async () => {
    const unsigned = (await token()).split(".");
    const none = [btoa(JSON.stringify({ alg: "none", kid: "rsa" })), unsigned[1], "x"].join(".").replaceAll("=", "");
    const secret = new TextEncoder().encode(JSON.stringify(KEYS.rsa.n));
    const symmetric = await new SignJWT(good()).setProtectedHeader({ alg: "HS256", kid: "rsa" }).sign(secret);
    const [head, , signature] = await token().then((jwt) => jwt.split("."));
    const forged = [head, btoa(JSON.stringify({ ...good(), role: "admin" })).replaceAll("=", ""), signature].join(".");
    const wrongKey = await token({}, { key: "fresh", header: { kid: "ec" } });
    const otherAlgorithm = await token({}, { key: "pss" });
    for (const jwt of [none, symmetric, forged, wrongKey, otherAlgorithm, "a.b.c", "e30.e30.e30"])
      expect(await statusWith(jwt)).toBe(401);
  });

  it.each([undefined, "owner", 7])("with the role %j may do nothing: 403", async (role) => {
    const jwt = await token({ role });
    expect(await statusWith(jwt)).toBe(403);
    const { status, body } = await get("/v1/sessions", { token: jwt });
    const why = "this one has none. A JWT needs the claim role, and for a client the claim client_id";
    expect([status, body.detail]).toEqual([403, `This call needs a token of role admin or service: ${why}`]);
  });

  it("gets its role and expiry, and nothing without a role", async () => {
    const exp = seconds() + 120;
    const { body } = await get("/me", { token: await token({ exp }) });
    expect(body.data).toEqual({ id: "jwt:ada", role: "service", expiresAt: new Date((exp + 30) * 1000).toISOString() });
    expect((await get("/me", { token: await token({ role: "owner" }) })).status).toBe(403);
  });

  it("for a client is bound to the client that it names, and to none without one", async () => {
    const [mine, other] = [await createClient(), await createClient()];
    const jwt = await token({ role: "client", client_id: mine });
    const [own, foreign] = [await createSession({ clientId: mine }), await createSession({ clientId: other })];
    expect((await get(`/sessions/${own}`, { token: jwt })).status).toBe(200);
    expect((await get(`/sessions/${foreign}`, { token: jwt })).status).toBe(404);
    expect(await statusWith(await token({ role: "client" }))).toBe(403);
    for (const client_id of ["me", [mine], { id: mine }, 7, null])
      expect(await statusWith(await token({ role: "client", client_id }))).toBe(403);
    expect(await statusWith(await token({ role: ["service"] }))).toBe(403);
  });

  it("opens a socket, which closes with 4401 when the token expires", async () => {
    const id = await createSession();
    const jwt = await token({ exp: seconds() - 27 });
    const client = await connect(`/sessions/${id}/ws`, { token: jwt });
    await client.next("session-snapshot");
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code: 4401 });
  });

  it("has idempotency keys of its own for each subject", async () => {
    const [ada, bob] = [await token({ sub: "ada" }), await token({ sub: "bob" })];
    const create = async (jwt: string, name: string) =>
      (await post("/clients", { name }, { token: jwt, headers: { "idempotency-key": "same" } })).status;
    expect([await create(ada, "a"), await create(bob, "b"), await create(ada, "c")]).toEqual([201, 201, 409]);
  });
});

describe("the identity provider's keys", () => {
  it("are fetched once while they suffice", async () => {
    await Promise.all(Array.from({ length: 5 }, async () => statusWith(await token())));
    expect(await statusWith(await token({}, { key: "ec" }))).toBe(200);
    expect(await asked()).toBe(1);
  });

  it("are fetched again for an unknown key, at most once a minute", async () => {
    use("growing");
    expect(await statusWith(await token())).toBe(200);
    const later = vi.spyOn(Date, "now").mockReturnValue(Date.now() + 61_000);
    expect(await statusWith(await token({}, { key: "fresh" }))).toBe(200);
    expect(await asked()).toBe(2);
    const unknown = await token({}, { header: { kid: "never seen" } });
    for (let n = 0; n < 5; n++) expect(await statusWith(unknown)).toBe(401);
    expect(await asked()).toBe(2);
    later.mockReturnValue(Date.now() + 61_000);
    expect(await statusWith(unknown)).toBe(401);
    expect(await asked()).toBe(3);
    later.mockRestore();
  });

  it("when unreachable, give 503 for a token that may be valid, in the dialect's form", async () => {
    use("down");
    const jwt = await token();
    const [session, moonshot] = [await get("/sessions", { token: jwt }), await get("/v1/sessions", { token: jwt })];
    expect([session.status, moonshot.status]).toEqual([503, 503]);
    expect(session.headers.get("retry-after")).toBe("5");
    expect(session.body.error.code).toBe("identity_provider_unavailable");
    expect(moonshot.body.detail).toMatch(/identity provider/);
    expect((await get("/sessions")).status).toBe(200);
  });
});

describe("settings for JWTs", () => {
  it("when missing, make every JWT 401", async () => {
    setVariables({ JWT_JWKS_URL: "", JWT_ISSUER: "", JWT_AUDIENCE: "" });
    expect(await statusWith(await token())).toBe(401);
  });

  it.each([
    ["in part", { JWT_AUDIENCE: undefined }],
    ["blank", { JWT_ISSUER: " " }],
    ["with keys over plain http", { JWT_JWKS_URL: "http://identity.example/keys" }],
    ["with keys nowhere", { JWT_JWKS_URL: "keys" }],
  ])("with a fault (%s) let nobody in, and log the reason", async (_, variables) => {
    setVariables(variables as Partial<Env>);
    const { status, body } = await get("/sessions", { token: await token() });
    expect([status, body.error.code]).toEqual([503, "misconfigured"]);
    expect(body.message).toMatch(/JWT_/);
    expect((await get("/sessions", { token: "no-jwt" })).status).toBe(401);
  });
});

describe("a caller without a token", () => {
  it("gets 401, unless ANONYMOUS_ROLE is service", async () => {
    expect((await get("/sessions", { token: null })).status).toBe(401);
    setVariables({ ANONYMOUS_ROLE: "service" });
    expect((await get("/v1/sessions", { token: null })).status).toBe(200);
    expect((await get("/keys", { token: null })).status).toBe(403);
    const chatbotId = await createChatbot();
    const created = await post("/sessions", { chatbotId, clientId: await createClient() }, { token: null });
    expect(created.status).toBe(201);
  });

  it("is not a caller with a bad token", async () => {
    setVariables({ ANONYMOUS_ROLE: "service" });
    expect((await get("/sessions", { token: "bad" })).status).toBe(401);
    expect((await get("/sessions", { token: null, headers: { authorization: "Basic dGVzdA==" } })).status).toBe(401);
  });

  it("may be admin on a local start", async () => {
    setVariables({ ANONYMOUS_ROLE: "admin", LOCAL: "true" });
    expect((await get("/keys", { token: null })).status).toBe(200);
    expect((await get("/me", { token: null })).body.data).toEqual({ id: "anonymous", role: "admin" });
    expect((await get("/healthz?deep=1", { token: null })).body.problems).toEqual([]);
  });

  it.each(["admin", "client", "Service", "anything"])("is not let in by an ANONYMOUS_ROLE of %s", async (role) => {
    setVariables({ ANONYMOUS_ROLE: role });
    const { status, body } = await get("/sessions", { token: null });
    expect([status, body.error.code]).toEqual([503, "misconfigured"]);
  });
});
