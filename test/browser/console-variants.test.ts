/** Variants of a chat, in the console of a started server: two side by side, branches, and what a context left out. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let server: LocalServer;
let clientId: string;

beforeAll(async () => {
  server = await startLocalServer();
  clientId = (await server.parley.clients.create({ name: "Ada" })).id;
}, 240_000);

afterAll(() => server.stop());

type ChatbotFields = Parameters<LocalServer["parley"]["chatbots"]["create"]>[0];

/** A chat whose chatbot repeats what is said. */
async function createChat(title: string, fields: Partial<ChatbotFields> = {}): Promise<string> {
  const { chatbots, sessions } = server.parley;
  const { id: chatbotId } = await chatbots.create({ name: "Guide", endpointId: "echo", ...fields });
  return (await sessions.create({ chatbotId, clientId, title })).id;
}

/** Two answers to one question, of which the second is shown: messages 2 and 3. */
async function createVariants(title: string): Promise<string> {
  const id = await createChat(title);
  await server.parley.sessions.chat(id, { content: "The lamp is red and bright" });
  await server.parley.sessions.regenerate(id, 2, { endpointId: "echo", params: { pre_prompt: "Surely: " } });
  return id;
}

async function openChat(page: Page, path: string): Promise<void> {
  await page.goto(`${server.address}/console#/chats/${path}`);
  await page.locator(".message").first().waitFor();
}

it("shows two variants side by side, with what differs marked in each", async ({ page }) => {
  await openChat(page, await createVariants("Variants"));
  await page.getByRole("button", { name: "Compare variants" }).click();
  const left = page.getByRole("region", { name: "First" });
  const right = page.getByRole("region", { name: "Second" });
  await right.locator("ins").first().waitFor();
  await expect.poll(() => right.locator(".difference").innerText()).toBe("Surely: The lamp is red and bright");
  await expect.poll(async () => (await right.locator("ins").allInnerTexts()).join("").trim()).toBe("Surely:");
  await expect.poll(() => left.locator(".difference").innerText()).toBe("The lamp is red and bright");
  await expect.poll(() => left.locator("ins").count()).toBe(0);
  await left.getByRole("combobox").selectOption({ index: 1 });
  await page.getByText("Both texts are the same").waitFor();
});

it("leads to a message, or to the variant in its place", async ({ page }) => {
  const id = await createVariants("A link");
  await openChat(page, `${id}/2`);
  await page.locator(".message-target").getByText("another variant of this one").waitFor();
  await page.locator(".message-target").getByText("2 of 2").waitFor();
  await openChat(page, `${id}/1`);
  await page.locator(".message-target").getByText("Client").waitFor();
});

/** A chat of which message 5 is not shown. */
async function createOffPath(title: string): Promise<string> {
  const id = await createVariants(title);
  await server.parley.sessions.chat(id, { content: "And the other lamp?" });
  await server.parley.sessions.activate(id, 2);
  return id;
}

const offPath = (page: Page) => page.getByText("The message that you looked for is in another variant");

it("says that a message is not shown now, and shows it on demand", async ({ page }) => {
  await openChat(page, `${await createOffPath("Off the path")}/5`);
  await offPath(page).waitFor();
  await look(page, "off-path-wide");
  await page.setViewportSize({ width: 390, height: 844 });
  await look(page, "off-path-phone");
  await page.getByRole("button", { name: "Show that variant" }).click();
  await page.locator('.message-target[data-seq="5"]').waitFor();
  await expect.poll(() => offPath(page).count()).toBe(0);
});

it("tells an operator that a message is not shown now, without a button for what the role may not do", async ({
  page,
}) => {
  const id = await createOffPath("Of an operator");
  const { key } = await server.parley.keys.create({ name: "o", role: "operator" });
  await page.goto(`${server.address}/console#token=${key}`);
  await page.getByRole("heading", { name: "Chats", exact: true }).waitFor();
  await openChat(page, `${id}/5`);
  await offPath(page).waitFor();
  await expect.poll(() => page.getByRole("button", { name: "Show that variant" }).count()).toBe(0);
});

it("brings a message far above into sight", async ({ page }) => {
  const id = await createChat("Long");
  for (let number = 1; number <= 12; number += 1)
    await server.parley.sessions.chat(id, { content: `Line ${number}\n\n${"and more\n\n".repeat(5)}` });
  await openChat(page, `${id}/3`);
  await page.locator(".message-target").waitFor();
  await page.locator(".message pre, .message p").last().waitFor({ state: "attached" });
  const isInSight = () =>
    page.evaluate(`(() => {
      const { top, bottom } = document.querySelector(".message-target").getBoundingClientRect();
      return top >= 0 && bottom <= innerHeight;
    })()`);
  await expect.poll(isInSight).toBe(true);
});

it("makes a branch, which leads back to where it is from", async ({ page }) => {
  const id = await createChat("Trunk");
  for (const content of ["First", "Second"]) await server.parley.sessions.chat(id, { content });
  await openChat(page, id);
  await page.locator('[data-seq="2"]').getByRole("button", { name: "Branch" }).click();
  await page.getByRole("link", { name: "Branch of another chat" }).waitFor();
  await page.locator(".message").nth(1).waitFor();
  await expect.poll(() => page.locator(".message").count()).toBe(2);
  await page.getByRole("link", { name: "Branch of another chat" }).click();
  await page.locator(".message-target").getByText("First", { exact: true }).waitFor();
  await expect.poll(() => page.locator(".message").count()).toBe(4);
});

it("rates the copy of a reply in a branch, and not a greeting", async ({ page }) => {
  const { sessions } = server.parley;
  const trunk = await createChat("Rated trunk", { greeting: "Welcome" });
  await sessions.chat(trunk, { content: "First" });
  const { id } = await sessions.branch(trunk, { seq: 3 });
  await openChat(page, id);
  await page.locator('[data-seq="3"]').getByRole("button", { name: "Good" }).click();
  await page.locator('[data-seq="3"]').getByRole("button", { name: "Good", pressed: true }).waitFor();
  await expect.poll(() => page.locator('[data-seq="1"]').getByRole("button", { name: "Good" }).count()).toBe(0);
  const { messages } = await sessions.messages(id);
  expect(messages.map(({ seq, feedback }) => [seq, feedback?.rating])).toEqual([
    [1, undefined],
    [2, undefined],
    [3, 1],
  ]);
});

it("says which messages a reply did not get, at once and after a reload", async ({ page }) => {
  const id = await createChat("Long talk", { context: { maxTokens: 100, keep: "newest" } });
  const { sessions } = server.parley;
  for (const number of [1, 2, 3]) await sessions.chat(id, { content: `Number ${number}: ${"word ".repeat(14)}` });
  await openChat(page, id);
  await page.getByRole("textbox", { name: "Message of the client" }).fill("What was the first number?");
  await page.getByRole("button", { name: "Send" }).click();
  const last = page.locator('[data-seq="8"]');
  for (const isReloaded of [false, true]) {
    if (isReloaded) await page.reload();
    await last.getByText("not sent as they are").click();
    await last.getByText("Client: Number 1:").waitFor();
    await expect.poll(() => last.getByText("Client: Number 3:").count()).toBe(0);
  }
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  await openChat(page, await createVariants("Two answers"));
  await page.getByRole("button", { name: "Compare variants" }).click();
  await page.locator("ins").first().waitFor();
  await look(page, `variants-${name}`);
  const id = await createChat("Long talk", { context: { maxTokens: 60, keep: "newest" } });
  for (const number of [1, 2, 3])
    await server.parley.sessions.chat(id, { content: `Number ${number}: ${"word ".repeat(10)}` });
  await page.goto(`${server.address}/console#/chats/${id}`);
  await page.getByText("not sent as they are").last().click();
  await look(page, `left-out-${name}`);
});
