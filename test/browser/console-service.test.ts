/**
 * What people who answer and look after chats do in the console of a started server: bad answers, the waiting list with its
 * bell, and a take-over that two windows see.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

let server: LocalServer;
let chatbotId: string;

beforeAll(async () => {
  server = await startLocalServer();
  chatbotId = (await server.parley.chatbots.create({ name: "Guide", endpointId: "echo" })).id;
}, 240_000);

afterAll(() => server.stop());

async function createChat(title: string, clientName = "Ada"): Promise<string> {
  const { id: clientId } = await server.parley.clients.create({ name: clientName });
  const { id } = await server.parley.sessions.create({ chatbotId, clientId, title });
  for (const content of ["Hello", `Where is it? (${title})`]) await server.parley.sessions.chat(id, { content });
  return id;
}

/** Signs in with a key of a role. */
async function signInAs(page: Page, role: "operator" | "client", clientId?: string): Promise<void> {
  const { key } = await server.parley.keys.create({ name: role, role, ...(clientId ? { clientId } : {}) });
  await page.goto(`${server.address}/console#token=${key}`);
  await page.getByRole("heading", { name: "Chats", exact: true }).waitFor();
}

/** A window of another person. */
async function openOther(page: Page): Promise<Page> {
  const context = await page.context().browser()?.newContext();
  onTestFinished(() => context?.close());
  if (!context) throw new Error("No browser");
  return context.newPage();
}

const bell = (page: Page) => page.getByRole("banner").getByRole("link", { name: /waiting/ });

/** Hands back all chats that wait or are answered by a person. */
async function endWaits(): Promise<void> {
  for (const handler of ["waiting", "human"] as const)
    for (const { id } of (await server.parley.sessions.list({ handler, limit: 100 })).results)
      await server.parley.sessions.end(id);
}

it("lists bad answers with who said what; leads to the message and to other models", async ({ page }) => {
  const id = await createChat("Rated", HOSTILE);
  const good = await createChat("Liked");
  await server.parley.sessions.setFeedback(id, 4, { rating: -1, tags: ["wrong"], comment: HOSTILE });
  await server.parley.sessions.setFeedback(good, 4, { rating: 1, comment: "Very good" });
  await page.goto(`${server.address}/console#/ratings`);
  const row = page.getByRole("listitem").filter({ hasText: "Where is it? (Rated)" });
  await row.locator(".rating-comment").getByText(HOSTILE).waitFor();
  await row.getByText(`${HOSTILE} · Guide`).waitFor();
  await row.getByText("wrong", { exact: true }).waitFor();
  await expect.poll(() => page.getByText("Very good").count()).toBe(0);
  await expect.poll(() => page.locator("main img, main script").count()).toBe(0);
  await expect.poll(() => page.title()).not.toContain("owned");
  await row.getByRole("link", { name: /^In its chat/ }).click();
  await page.locator('.message-target[data-seq="4"]').getByRole("button", { name: "Bad", pressed: true }).waitFor();
  await page.goBack();
  await row.getByRole("button", { name: /^Compare on other models/ }).click();
  await page.getByRole("dialog").getByRole("checkbox", { name: "eliza" }).first().check();
  await page.getByRole("button", { name: "Compare on 1 model" }).click();
  await page.getByText("2 turns replayed").waitFor();
  await page.goto(`${server.address}/console#/ratings`);
  await page.getByRole("combobox", { name: "Rating" }).selectOption("good");
  await page.getByText("Very good").waitFor();
  await row.waitFor({ state: "detached" });
});

it("shows an operator ratings and who waits, and nothing of comparisons; a client neither", async ({ page }) => {
  const id = await createChat("Roles");
  await server.parley.sessions.setFeedback(id, 4, { rating: -1 });
  await signInAs(page, "operator");
  await page.getByRole("link", { name: "Ratings" }).click();
  await page.getByText("Where is it? (Roles)").first().waitFor();
  await expect.poll(() => page.getByRole("button", { name: /^Compare on other models/ }).count()).toBe(0);
  const other = await openOther(page);
  const { clientId } = await server.parley.sessions.get(id);
  await signInAs(other, "client", clientId?.id);
  await expect.poll(() => other.getByRole("link", { name: "Ratings" }).count()).toBe(0);
});

it("counts who waits in the header and in the title, and no longer when nobody does", async ({ page }) => {
  await endWaits();
  const id = await createChat("Help me");
  await page.clock.install();
  await page.goto(`${server.address}/console`);
  await page.getByRole("heading", { name: "Compare models" }).waitFor();
  await expect.poll(() => bell(page).count()).toBe(0);
  await server.parley.sessions.requestHuman(id, { reason: "Nothing helps" });
  await page.clock.runFor(10_000);
  await bell(page).getByText("1").waitFor();
  await expect.poll(() => page.title()).toBe("(1) Parley");
  await bell(page).click();
  await page.getByText("Nothing helps").waitFor();
  await server.parley.sessions.handBack(id);
  await page.clock.runFor(10_000);
  await page.getByText("Nobody waits").waitFor();
  await bell(page).waitFor({ state: "detached" });
  await expect.poll(() => page.title()).toBe("Parley");
});

/** Counts what a page plays, and keeps what it notifies of. */
const LISTEN = `
  globalThis.heard = { tones: 0, notes: [] };
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...when) { heard.tones += 1; return start.apply(this, when); };
  const Original = globalThis.Notification;
  globalThis.Notification = class extends Original {
    constructor(title, options) { super(title, options); heard.notes.push(options.body); }
  };`;

it("rings when somebody begins to wait, only after it was switched on, also after a reload", async ({ page }) => {
  await endWaits();
  const [first, second, third] = [await createChat("One"), await createChat("Two"), await createChat("Three")];
  await page.context().grantPermissions(["notifications"], { origin: server.address });
  await page.addInitScript(LISTEN);
  await page.clock.install();
  await page.goto(`${server.address}/console#/waiting`);
  await page.getByText("Nobody waits").waitFor();
  await server.parley.sessions.requestHuman(first);
  await page.clock.runFor(10_000);
  await bell(page).getByText("1").waitFor();
  await expect.poll(() => page.evaluate("heard.tones")).toBe(0);
  await page.getByRole("checkbox", { name: "Ring" }).check();
  await page.getByText("A sound").waitFor();
  await expect.poll(() => page.evaluate("heard.tones")).toBe(2);
  await server.parley.sessions.requestHuman(second);
  await page.clock.runFor(10_000);
  await expect.poll(() => page.evaluate("heard.tones")).toBe(4);
  await page.reload();
  await bell(page).getByText("2").waitFor();
  await expect.poll(() => page.evaluate("heard.tones")).toBe(0);
  await server.parley.sessions.requestHuman(third);
  await page.clock.runFor(10_000);
  await expect.poll(() => page.evaluate("heard.tones")).toBe(2);
  const isAllowed = await page.evaluate("Notification.permission === 'granted'");
  await expect.poll(() => page.evaluate("heard.notes")).toEqual(isAllowed ? ["3 chats wait for a person"] : []);
});

it("takes over in one window, as another window of the chat sees at once", async ({ page }) => {
  const id = await createChat("Two people");
  await server.parley.sessions.requestHuman(id);
  const client = await openOther(page);
  const { clientId } = await server.parley.sessions.get(id);
  await signInAs(client, "client", clientId?.id);
  await client.getByRole("link", { name: "Two people" }).click();
  await client.getByRole("textbox", { name: "Message of the client" }).waitFor();
  await signInAs(page, "operator");
  await page.getByRole("link", { name: "Waiting", exact: true }).click();
  await page.getByRole("link", { name: "Two people" }).click();
  await page.getByRole("button", { name: "Take over" }).click();
  await page.getByLabel("Your name").fill("Grace");
  await page.getByRole("dialog").getByRole("button", { name: "Take over" }).click();
  await page.getByRole("textbox", { name: "Answer to the client" }).fill("Grace here");
  await page.getByRole("button", { name: "Send" }).click();
  const last = client.locator(".message").last();
  await last.getByText("Grace here").waitFor();
  await last.getByText("Grace", { exact: true }).waitFor();
  await client.getByRole("textbox", { name: "Message of the client" }).fill("Thank you");
  await client.getByRole("button", { name: "Send" }).click();
  await page.locator(".message").last().getByText("Thank you").waitFor();
  await page.getByRole("button", { name: "Hand back" }).click();
  await client.getByRole("textbox", { name: "Message of the client" }).fill("Chatbot?");
  await client.getByRole("button", { name: "Send" }).click();
  await page.locator(".message").last().getByText("Chatbot?").waitFor();
  await page.locator(".message").last().getByText("Chatbot", { exact: true }).waitFor();
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  const id = await createChat("A lamp that does not arrive");
  await server.parley.sessions.setFeedback(id, 4, { rating: -1, tags: ["wrong"], comment: "It came on Monday" });
  await server.parley.sessions.requestHuman(id, { reason: "The order is lost" });
  await page.goto(`${server.address}/console#/ratings`);
  await page.getByText("It came on Monday").first().waitFor();
  await bell(page).waitFor();
  await look(page, `ratings-${name}`);
  await page.goto(`${server.address}/console#/waiting`);
  await page.getByRole("checkbox", { name: "Ring" }).check();
  await page.getByText("A lamp that does not arrive").first().waitFor();
  await look(page, `waiting-${name}`);
});
