/** Chatbots and clients, in the console of a started server: they are made, changed and deleted, and one finds the chats of a client. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let server: LocalServer;

beforeAll(async () => {
  server = await startLocalServer();
}, 240_000);

afterAll(() => server.stop());

const open = (page: Page, hash: string) => page.goto(`${server.address}/console${hash}`);

const save = (page: Page) => page.getByRole("dialog").getByRole("button", { name: "Save" }).click();

const closed = (page: Page) => page.getByRole("dialog").waitFor({ state: "detached" });

const one = <T>(items: T[]): T => {
  expect(items).toHaveLength(1);
  return items[0] as T;
};

async function chatbotNamed(name: string) {
  return one((await server.parley.chatbots.list({ searchString: name })).results);
}

it("makes a chatbot with every field, changes and removes them, and deletes it", async ({ page }) => {
  await open(page, "#/chatbots");
  await page.getByRole("button", { name: "New chatbot" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("Guide");
  await dialog.getByLabel("Endpoint", { exact: true }).selectOption("echo");
  await dialog.getByLabel("System prompt").fill("Be kind.");
  await dialog.getByLabel("Greeting").fill("Welcome");
  await dialog.getByLabel("Description").fill("Shows the way");
  await dialog.getByLabel("Messages at most").fill("20");
  await dialog.getByLabel("Tokens at most").fill("4000");
  await dialog.getByLabel("Older messages that do not fit are").selectOption("replaced by a summary");
  await dialog.getByLabel("Summaries are made by").selectOption("eliza");
  await dialog.getByLabel("Params, as JSON").fill("[1]");
  await dialog.getByLabel("The chatbot answers again after").fill("30");
  await save(page);
  await dialog.getByRole("alert").getByText("this is not a JSON object").waitFor();
  await dialog.getByLabel("Params, as JSON").fill('{"temperature": 0}');
  await save(page);
  await page.getByText("Shows the way · asks echo · has a system prompt").waitFor();
  const { id, createdAt: _, updatedAt: __, ...made } = await chatbotNamed("Guide");
  expect(made).toEqual({
    name: "Guide",
    endpointId: "echo",
    systemPrompt: "Be kind.",
    greeting: "Welcome",
    description: "Shows the way",
    historyLimit: 20,
    context: { maxTokens: 4000, keep: "summary", summaryEndpointId: "eliza" },
    params: { temperature: 0 },
    takeoverTimeoutMinutes: 30,
  });
  await page.getByRole("button", { name: "Change Guide" }).click();
  for (const label of ["System prompt", "Greeting", "Description", "Tokens at most", "Params, as JSON"])
    await dialog.getByLabel(label).fill("");
  await dialog.getByLabel("The chatbot answers again after").fill("");
  await dialog.getByLabel("Name").fill("Guide of the museum");
  await save(page);
  await closed(page);
  const { createdAt: ___, updatedAt: ____, ...changed } = await server.parley.chatbots.get(id);
  expect(changed).toEqual({ id, name: "Guide of the museum", endpointId: "echo", historyLimit: 20 });
  await page.getByRole("button", { name: "Delete Guide of the museum" }).click();
  await page.keyboard.press("Enter");
  await page.getByText("Guide of the museum").waitFor({ state: "detached" });
});

it("says why a chatbot cannot be deleted", async ({ page }) => {
  const { id: chatbotId } = await server.parley.chatbots.create({ name: "Busy", endpointId: "echo" });
  const { id: clientId } = await server.parley.clients.create({ name: "Talker" });
  await server.parley.sessions.create({ chatbotId, clientId });
  await open(page, "#/chatbots");
  await page.getByRole("button", { name: "Delete Busy" }).click();
  await page.getByRole("button", { name: "Delete Busy now" }).click();
  const alert = page.getByRole("alert");
  await alert.waitFor();
  await expect.poll(() => alert.textContent()).toMatch(/in use by 1 session/);
  await expect.poll(() => alert.textContent()).not.toMatch(/Try again/);
});

it("brings the reason into view when a row far below is not deleted", async ({ page }) => {
  const { chatbots, clients, sessions } = server.parley;
  const made: string[] = [];
  for (let number = 1; number <= 12; number += 1)
    made.push((await chatbots.create({ name: `Low ${number}`, endpointId: "echo" })).id);
  const { id: clientId } = await clients.create({ name: "Caller" });
  const chats: string[] = [];
  for (const chatbotId of made) chats.push((await sessions.create({ chatbotId, clientId })).id);
  await page.setViewportSize({ width: 1000, height: 300 });
  await open(page, "#/chatbots");
  const remove = page.getByRole("button", { name: /^Delete Low / });
  await remove.last().click();
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert");
  await alert.waitFor();
  await expect.poll(async () => (await alert.boundingBox())?.y).toBeGreaterThanOrEqual(0);
  for (const id of chats) await sessions.delete(id);
  for (const id of made) await chatbots.delete(id);
  await clients.delete(clientId);
});

it("keeps what was written and not saved, over a reload, until it is saved or discarded", async ({ page }) => {
  await open(page, "#/chatbots");
  await page.getByRole("button", { name: "Change Eliza" }).click();
  const prompt = page.getByRole("dialog").getByLabel("System prompt");
  await prompt.fill("A long persona");
  await page.keyboard.press("Escape");
  await closed(page);
  await page.reload();
  await page.getByRole("button", { name: "Change Eliza" }).click();
  await page.getByText("It is not saved yet").waitFor();
  await expect.poll(() => prompt.inputValue()).toBe("A long persona");
  await expect.poll(() => page.evaluate("JSON.stringify({ ...localStorage })")).not.toContain("A long persona");
  await page.getByRole("button", { name: "Discard" }).click();
  await expect.poll(() => prompt.inputValue()).toBe("");
  expect((await chatbotNamed("Eliza")).systemPrompt).toBeUndefined();
  await prompt.fill("A short persona");
  await page.keyboard.press("Escape");
  await closed(page);
  await page.getByRole("button", { name: "Change Echo" }).click();
  await expect.poll(() => prompt.inputValue()).toBe("");
  await page.keyboard.press("Escape");
  await closed(page);
  await page.getByRole("button", { name: "Change Eliza" }).click();
  await page.getByText("It is not saved yet").waitFor();
  await save(page);
  await closed(page);
  // What is changed elsewhere is not hidden by what was written here.
  const { id } = await chatbotNamed("Eliza");
  await server.parley.chatbots.update(id, { systemPrompt: "Of somebody else" });
  await page.getByRole("button", { name: "Change Eliza" }).click();
  await expect.poll(() => prompt.inputValue()).toBe("Of somebody else");
  await expect.poll(() => page.getByText("It is not saved yet").count()).toBe(0);
});

it("makes a client, tells two of one name apart, and shows the chats of one", async ({ page }) => {
  const { id: chatbotId } = await server.parley.chatbots.create({ name: "Desk", endpointId: "echo" });
  await open(page, "#/clients");
  const dialog = page.getByRole("dialog");
  for (const externalId of ["crm-1", "crm-2"]) {
    await page.getByRole("button", { name: "New client" }).click();
    await expect.poll(() => dialog.getByLabel("Name").inputValue()).toBe("");
    await dialog.getByLabel("Name").fill("Grace Hopper");
    await dialog.getByLabel("External id").fill(externalId);
    await dialog.getByLabel("Metadata, as JSON").fill('{"plan": "free"}');
    await save(page);
    await closed(page);
  }
  const [second, first] = (await server.parley.clients.list({ searchString: "Grace Hopper" })).results;
  expect([first?.externalId, first?.metadata]).toEqual(["crm-1", { plan: "free" }]);
  await server.parley.sessions.create({ chatbotId, clientId: first?.id ?? "", title: "Of the first" });
  await server.parley.sessions.create({ chatbotId, clientId: second?.id ?? "", title: "Of the second" });
  await page.getByLabel("Search by name, email or external id").fill("crm-1");
  await page.getByText("crm-2").waitFor({ state: "detached" });
  await page.getByRole("link", { name: "Chats of Grace Hopper" }).click();
  await page.getByText("Of the first").waitFor();
  await page.getByText("Of the second").waitFor({ state: "detached" });
  const filter = page.getByLabel("Client", { exact: true });
  await expect.poll(() => filter.locator("option:checked").textContent()).toBe("Grace Hopper · crm-1");
  await page.reload();
  await page.getByText("Of the first").waitFor();
  await open(page, "#/clients");
  await page.getByRole("button", { name: "Change Grace Hopper" }).first().click();
  await dialog.getByLabel("External id").fill("");
  await dialog.getByLabel("Metadata, as JSON").fill("");
  await save(page);
  await closed(page);
  const changed = await server.parley.clients.get(second?.id ?? "");
  expect([changed.externalId, changed.metadata]).toEqual([undefined, undefined]);
});

it("tells two clients of one name apart wherever a chat of theirs is", async ({ page }) => {
  const { chatbots, clients, sessions } = server.parley;
  const { id: chatbotId } = await chatbots.create({ name: "Counter", endpointId: "echo" });
  for (const externalId of ["shop-1", "shop-2"]) {
    const { id: clientId } = await clients.create({ name: "Ida", externalId });
    const { id } = await sessions.create({ chatbotId, clientId, title: `Of ${externalId}` });
    await sessions.chat(id, { content: `Hello from ${externalId}` });
    await sessions.setFeedback(id, 2, { rating: -1 });
    await sessions.requestHuman(id);
  }
  for (const list of ["chats", "waiting", "ratings"]) {
    await open(page, `#/${list}`);
    for (const externalId of ["shop-1", "shop-2"]) {
      const row = page.getByRole("listitem").filter({ hasText: `Ida · ${externalId} · Counter` });
      await row.getByText(externalId).first().waitFor();
      await expect.poll(() => row.count()).toBe(1);
    }
  }
  await open(page, "#/chats");
  await page.getByRole("link", { name: "Of shop-2" }).click();
  await page.getByText("Ida · shop-2 with Counter").waitFor();
  await page.setViewportSize({ width: 390, height: 844 });
  await expect.poll(() => page.getByText("Ida · shop-2 with Counter").isVisible()).toBe(true);
});

it("leads to the chats of a client that cannot be deleted", async ({ page }) => {
  const { id: chatbotId } = await server.parley.chatbots.create({ name: "Hall", endpointId: "echo" });
  const { id: clientId } = await server.parley.clients.create({ name: "Stays" });
  const { id: otherId } = await server.parley.clients.create({ name: "Goes" });
  await server.parley.sessions.create({ chatbotId, clientId, title: "Not ended" });
  await server.parley.sessions.create({ chatbotId, clientId: otherId, title: "Of another client" });
  await open(page, "#/clients");
  await page.getByRole("button", { name: "Delete Stays" }).click();
  await page.getByRole("button", { name: "Delete Stays now" }).click();
  await page.getByRole("alert").getByText("End or delete them first").waitFor();
  await page.getByRole("link", { name: "the chats of this client" }).click();
  await page.getByText("Not ended").waitFor();
  await page.getByText("Of another client").waitFor({ state: "detached" });
});

it("shows an operator the clients, and nothing to change", async ({ page }) => {
  const { key } = await server.parley.keys.create({ name: "o", role: "operator" });
  await open(page, `#token=${key}`);
  await page.getByRole("link", { name: "Clients" }).click();
  await page.getByRole("link", { name: "Chats of Ada" }).waitFor();
  await expect.poll(() => page.getByRole("button", { name: /New|Change|Delete/ }).count()).toBe(0);
  await expect.poll(() => page.getByRole("link", { name: "Chatbots" }).count()).toBe(0);
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  for (const what of ["chatbot", "client"]) {
    await open(page, `#/${what}s`);
    await page
      .getByRole("button", { name: /^Delete/ })
      .first()
      .click();
    await look(page, `${what}s-${name}`);
    await page.getByRole("button", { name: `New ${what}` }).click();
    await page.getByLabel("Name", { exact: true }).waitFor();
    await look(page, `${what}s-new-${name}`);
    if (what === "chatbot") {
      await page.getByLabel("Tokens at most").fill("100");
      await page.getByLabel("The chatbot answers again after").scrollIntoViewIfNeeded();
      await look(page, `chatbots-new-end-${name}`);
    }
  }
});
