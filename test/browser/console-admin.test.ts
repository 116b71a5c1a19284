/** Endpoints and keys, in the console of a started server: an admin adds a model and tests it, and makes a key for an app. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let provider: GatedProvider;
let server: LocalServer;

beforeAll(async () => {
  provider = await startGatedProvider();
  server = await startLocalServer();
  await server.parley.clients.create({ name: "Grace" });
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

it("adds an endpoint with the fields of its type, tests it, changes and deletes it", async ({ page }) => {
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Connector type/).selectOption("echo-connector");
  await dialog.getByLabel(/^Address/).waitFor({ state: "detached" });
  await dialog.getByLabel(/^Connector type/).selectOption("openai-connector");
  await dialog.getByLabel(/^Name/).fill("My model");
  await dialog.getByLabel(/^Address/).fill(provider.uri);
  await dialog.getByLabel(/^Token/).fill("a-secret");
  await dialog.getByLabel(/^Model/).fill("m");
  await dialog.getByLabel("Params, as JSON").fill("no json");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await dialog.getByText("this is not a JSON object").waitFor();
  await dialog.getByLabel("Params, as JSON").fill('{"max_attempts": 1}');
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Test My model" }).click();
  const call = await provider.nextCall();
  expect(call.authorization).toBe("Bearer a-secret");
  call.say("It works");
  call.finish();
  await page.getByText("It answered in").getByText("It works").waitFor();
  await page.getByRole("button", { name: "Change My model" }).click();
  await expect.poll(() => dialog.getByLabel(/^Token/).inputValue()).toBe("");
  await dialog.getByLabel("Calls at once at most").fill("3");
  await dialog.getByLabel("Calls a second at most").fill("2");
  await dialog.getByLabel("Price of input").fill("1.5");
  await dialog.getByLabel("Price of output").fill("6");
  await dialog.getByLabel("Pinned params").fill("temperature, max_tokens");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("3 at once").waitFor();
  const changed = (await server.parley.endpoints.list()).find(({ name }) => name === "My model");
  expect(changed).toMatchObject({
    max_concurrency: 3,
    max_calls_per_second: 2,
    prices: { input_per_million: 1.5, output_per_million: 6 },
    pinned: ["temperature", "max_tokens"],
    params: { max_attempts: 1 },
  });
  await page.getByRole("button", { name: "Test My model" }).click();
  const later = await provider.nextCall();
  expect(later.authorization).toBe("Bearer a-secret");
  later.say("It still works");
  later.finish();
  await page.getByText("It answered in").getByText("It still works").waitFor();
  await page.getByRole("button", { name: "Delete My model" }).click();
  await page.getByRole("button", { name: "Delete My model now" }).click();
  await page.getByText("My model", { exact: true }).waitFor({ state: "detached" });
  expect((await server.parley.endpoints.list()).map(({ name }) => name)).not.toContain("My model");
});

/** Fills in a new endpoint that asks the gated provider. */
async function fillIn(page: Page, name: string): Promise<void> {
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill(name);
  await dialog.getByLabel(/^Address/).fill(provider.uri);
  await dialog.getByLabel(/^Token/).fill("sk-0123456789");
  await dialog.getByLabel(/^Model/).fill("m");
}

it("tests an endpoint from its form, which says what came of it and stays open; a refused form stores nothing", async ({
  page,
}) => {
  const stored = async (name: string) => (await server.parley.endpoints.list()).filter((one) => one.name === name);
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const dialog = page.getByRole("dialog");
  const saveAndTest = dialog.getByRole("button", { name: "Save and test" });
  await fillIn(page, "Tried");
  await dialog.getByLabel(/^Address/).fill("not an address");
  await saveAndTest.click();
  await dialog.getByRole("alert").getByText("Address: must be a URL").waitFor();
  expect(await stored("Tried")).toEqual([]);
  await dialog.getByLabel(/^Address/).fill("http://127.0.0.1:1/v1");
  await dialog.getByLabel("Params, as JSON").fill('{"max_attempts": 1}');
  await saveAndTest.click();
  await dialog.getByText(/^Saved, but it does not work yet\. connection_lost:/).waitFor();
  await dialog.getByLabel(/^Address/).fill(provider.uri);
  await expect.poll(() => dialog.getByText("does not work yet").count()).toBe(0);
  await dialog.getByLabel(/^Token/).fill("sk-0123456789");
  await saveAndTest.click();
  const call = await provider.nextCall();
  await dialog.getByText("Saved. Testing …").waitFor();
  call.say("It works");
  call.finish();
  await dialog.getByText(/^Saved\. It answered in .+: It works/).waitFor();
  await dialog.getByRole("heading", { name: "Tried" }).waitFor();
  expect(await stored("Tried")).toMatchObject([{ uri: provider.uri, params: { max_attempts: 1 } }]);
});

it("takes both prices of an endpoint or none", async ({ page }) => {
  const stored = async () => (await server.parley.endpoints.list()).find(({ name }) => name === "Priced");
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await fillIn(page, "Priced");
  const save = dialog.getByRole("button", { name: "Save", exact: true });
  await dialog.getByLabel("Price of input").fill("1.5");
  await save.click();
  await dialog.getByRole("alert").getByText("Price of input and price of output: give both, or none.").waitFor();
  expect(await stored()).toBeUndefined();
  await dialog.getByLabel("Price of output").fill("0");
  await save.click();
  await page.getByRole("button", { name: "Test Priced" }).waitFor();
  expect((await stored())?.prices).toEqual({ input_per_million: 1.5, output_per_million: 0 });
});

it("says by its label which field is refused, in every form", async ({ page }) => {
  const dialog = page.getByRole("dialog");
  const alert = dialog.getByRole("alert");
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await fillIn(page, "Elsewhere");
  await dialog.getByLabel(/^Model/).fill("m".repeat(201));
  await dialog.getByLabel("Price of input").fill("1");
  await dialog.getByLabel("Price of output").fill("9000000000");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await alert.getByText(/Model: .*; Price of output: /).waitFor();
  await dialog.getByLabel(/^Model/).fill("m");
  await dialog.getByLabel("Price of output").fill("1");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Change Elsewhere" }).click();
  await dialog.getByLabel(/^Address/).fill("http://127.0.0.1:1/v1");
  await dialog.getByRole("button", { name: "Save", exact: true }).click();
  await alert.getByText("Token: must be sent again when the origin of Address or the connector type changes").waitFor();
  await server.parley.clients.create({ name: "Ada", externalId: "1042" });
  await page.goto(`${server.address}/console#/clients`);
  await page.getByRole("button", { name: "New client" }).click();
  await dialog.getByLabel(/^Name/).fill("Eve");
  await dialog.getByLabel(/^External id/).fill("1042");
  await dialog.getByRole("button", { name: "Save" }).click();
  await alert.getByText('Another client has the External id "1042"').waitFor();
  await page.goto(`${server.address}/console#/chatbots`);
  await page.getByRole("button", { name: "New chatbot" }).click();
  await dialog.getByLabel(/^Name/).fill("Guide");
  await dialog.getByLabel(/^Endpoint/).selectOption("echo");
  await dialog.getByLabel(/^Params/).fill('{"timeout_ms": "soon"}');
  await dialog.getByRole("button", { name: "Save" }).click();
  await alert.getByText("Params, as JSON, timeout_ms: ").waitFor();
});

it("keeps what was written for an endpoint over a reload, and no token", async ({ page }) => {
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await fillIn(page, "Half written");
  await dialog.getByLabel("Params, as JSON").fill('{"api_key": "sk-0123456789"}');
  await page.reload();
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await dialog.getByText("It is not saved yet. Not kept, as secrets are not: the token and the params.").waitFor();
  await expect.poll(() => dialog.getByLabel(/^Name/).inputValue()).toBe("Half written");
  await expect.poll(() => dialog.getByLabel(/^Address/).inputValue()).toBe(provider.uri);
  await expect.poll(() => dialog.getByLabel(/^Token/).inputValue()).toBe("");
  await expect.poll(() => dialog.getByLabel("Params, as JSON").inputValue()).toBe("");
  const kept = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }])";
  await expect.poll(() => page.evaluate(kept)).not.toContain("sk-0123456789");
  await dialog.getByLabel(/^Address/).fill("https://me:sk-0123456789@example.com/v1");
  await dialog.getByLabel(/^Token/).fill("sk-0123456789");
  await expect.poll(() => page.evaluate(kept)).not.toContain("sk-0123456789");
  await dialog.getByLabel(/^Address/).fill("https://me:sk-0123");
  await dialog.getByLabel("Params, as JSON").fill('{"subscription_key": "sk-0123');
  await expect.poll(() => page.evaluate(kept)).not.toContain("sk-0123");
  await dialog.getByRole("button", { name: "Discard" }).click();
  await expect.poll(() => dialog.getByLabel(/^Name/).inputValue()).toBe("");
  await expect.poll(() => page.evaluate(kept)).not.toContain("Half written");
});

it("adds an endpoint without a token, also of a type whose servers mostly ask for one", async ({ page }) => {
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByLabel(/^Connector type/).selectOption("anthropic-connector");
  await fillIn(page, "Open server");
  await page
    .getByRole("dialog")
    .getByLabel(/^Token/)
    .fill("");
  await page.getByRole("dialog").getByRole("button", { name: "Save", exact: true }).click();
  await page.getByRole("button", { name: "Test Open server" }).waitFor();
});

it("says what to do about an endpoint that a chatbot asks", async ({ page }) => {
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Delete eliza" }).click();
  await page.getByRole("button", { name: "Delete eliza now" }).click();
  await page.getByRole("alert").getByText("Give them another endpoint first").waitFor();
  await page.getByRole("link", { name: "all chatbots" }).click();
  await page.getByRole("heading", { name: "Chatbots" }).waitFor();
});

it("says what was not kept, also if that is all that was written", async ({ page }) => {
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Address/).fill("https://example.com/v1?key=1");
  await page.reload();
  await page.getByRole("button", { name: "Add endpoint" }).click();
  const note = dialog.getByText("Not kept, as secrets are not: the address. Write that again.");
  await note.waitFor();
  await expect.poll(() => dialog.getByText("It is not saved yet").count()).toBe(0);
  await dialog.getByLabel(/^Address/).fill("https://example.com/v1");
  await dialog.getByText("It is not saved yet").waitFor();
  await expect.poll(() => note.count()).toBe(0);
  await dialog.getByRole("button", { name: "Discard" }).click();
  await expect.poll(() => dialog.getByLabel(/^Address/).inputValue()).toBe("");
});

it("keeps what was written for a key, until it is made", async ({ page }) => {
  await page.goto(`${server.address}/console#/keys`);
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("A server");
  await dialog.getByLabel(/^Role/).selectOption("service");
  await dialog.getByLabel(/^Expires after/).selectOption("7 days");
  await page.reload();
  await page.getByRole("button", { name: "New key" }).click();
  await dialog.getByText("It is not saved yet").waitFor();
  await expect.poll(() => dialog.getByLabel(/^Name/).inputValue()).toBe("A server");
  await expect.poll(() => dialog.getByLabel(/^Role/).inputValue()).toBe("service");
  await expect.poll(() => dialog.getByLabel(/^Expires after/).inputValue()).toBe("7");
  await dialog.getByRole("button", { name: "Make key" }).click();
  const key = (await dialog.locator(".secret").textContent()) ?? "";
  const kept = "JSON.stringify([{ ...sessionStorage }, { ...localStorage }])";
  await expect.poll(() => page.evaluate(kept)).not.toContain(key);
  await expect.poll(() => page.evaluate(kept)).not.toContain("A server");
  for (const { id } of await server.parley.keys.list()) await server.parley.keys.delete(id);
});

it("makes a key for an app, shows it once, and revokes it", async ({ page }) => {
  await page.goto(`${server.address}/console#/keys`);
  await page.getByRole("button", { name: "New key" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel(/^Name/).fill("Grace, phone");
  await dialog.getByLabel(/^Client/).selectOption("Grace");
  await dialog.getByRole("button", { name: "Make key" }).click();
  const key = (await dialog.locator(".secret").textContent()) ?? "";
  // Beside the drawer: what cannot be seen again stays.
  await page.mouse.click(5, 300);
  await expect.poll(() => dialog.locator(".secret").count()).toBe(1);
  const as = (token: string) => fetch(`${server.address}/me`, { headers: { authorization: `Bearer ${token}` } });
  const { id: clientId } = (await server.parley.clients.list({ searchString: "Grace" })).results[0] ?? { id: "" };
  const { data: own }: { data: { role: string; clientId: string; expiresAt: string } } = await (await as(key)).json();
  expect([own.role, own.clientId]).toEqual(["client", clientId]);
  // As the form proposes: it ends by itself.
  const days = (Date.parse(own.expiresAt) - Date.now()) / 86_400_000;
  expect(Math.round(days)).toBe(30);
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByText("not used yet").or(page.getByText("used ")).first().waitFor();
  await expect.poll(() => page.content()).not.toContain(key);
  await page.getByRole("button", { name: "Revoke Grace, phone" }).click();
  await page.getByRole("button", { name: "Revoke Grace, phone now" }).click();
  await page.getByText("No key yet").waitFor();
  expect((await as(key)).status).toBe(401);
});

it("replaces a key: the new one has the fields of the old one, which works until it is revoked", async ({ page }) => {
  const input = { name: "Shop", role: "service" } as const;
  const old = await server.parley.keys.create({
    ...input,
    expiresAt: new Date(Date.now() + 7 * 86_400_000).toISOString(),
  });
  const roleOf = async (token: string) => {
    const answer = await fetch(`${server.address}/me`, { headers: { authorization: `Bearer ${token}` } });
    return /"role":"(\w+)"/.exec(await answer.text())?.[1] ?? answer.status;
  };
  await page.goto(`${server.address}/console#/keys`);
  await page.getByRole("button", { name: "Replace Shop" }).click();
  const dialog = page.getByRole("dialog");
  await expect.poll(() => dialog.getByLabel(/^Name/).inputValue()).toBe("Shop");
  await expect.poll(() => dialog.getByLabel(/^Expires after/).inputValue()).toBe("7");
  await dialog.getByLabel(/^Role/).selectOption("operator");
  await dialog.getByRole("button", { name: "Make key" }).click();
  const key = (await dialog.locator(".secret").textContent()) ?? "";
  expect([await roleOf(key), await roleOf(old.key)]).toEqual(["operator", "service"]);
  await dialog.getByRole("button", { name: "Revoke the old key" }).click();
  await dialog.getByRole("button", { name: "Revoke the old key now" }).click();
  await dialog.getByText("The old key is revoked.").waitFor();
  await expect.poll(() => roleOf(old.key)).toBe(401);
  expect(await roleOf(key)).toBe("operator");
});

it("shows a service the endpoints, without what it may not do, and no keys", async ({ page }) => {
  const { data } = await server.parley.connection.call<{ data: { key: string } }>({
    method: "POST",
    path: "/keys",
    body: { name: "s", role: "service" },
  });
  await page.goto(`${server.address}/console#token=${data.key}`);
  await page.getByRole("link", { name: "Endpoints" }).click();
  await page.getByRole("button", { name: "Test echo" }).waitFor();
  await expect.poll(() => page.getByRole("button", { name: /Add|Change|Delete/ }).count()).toBe(0);
  await expect.poll(() => page.getByRole("link", { name: "Keys" }).count()).toBe(0);
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  await page.goto(`${server.address}/console#/endpoints`);
  await page.getByRole("button", { name: "Test echo" }).click();
  await page.getByText("It answered in").waitFor();
  await look(page, `endpoints-${name}`);
  await page.getByRole("button", { name: "Add endpoint" }).click();
  await page.getByLabel(/^Model/).waitFor();
  await look(page, `endpoints-add-${name}`);
  await page.goto(`${server.address}/console#/keys`);
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel(/^Client/).waitFor();
  await look(page, `keys-new-${name}`);
  await page.getByRole("button", { name: "Close" }).click();
  await look(page, `keys-${name}`);
});
