/** Chats, in the console of a started server: the list, a live conversation in two windows, variants, ratings, a take-over. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, onTestFinished } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let provider: GatedProvider;
let server: LocalServer;
let chatbotId: string;
let clientId: string;

beforeAll(async () => {
  provider = await startGatedProvider();
  server = await startLocalServer();
  const uri = provider.uri;
  const fields = {
    connector_type: "openai-connector",
    uri,
    token: "t",
    model: "m",
    params: { max_attempts: 1 },
  } as const;
  await server.parley.endpoints.create({ name: "Gated", ...fields });
  chatbotId = (await server.parley.chatbots.create({ name: "Guide", endpointId: "gated" })).id;
  clientId = (await server.parley.clients.create({ name: "Ada Lovelace" })).id;
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

const createChat = async (title: string): Promise<string> =>
  (await server.parley.sessions.create({ chatbotId, clientId, title })).id;

async function openChat(page: Page, id: string): Promise<void> {
  await page.goto(`${server.address}/console#/chats/${id}`);
  await page.getByRole("log", { name: "Messages" }).waitFor();
}

/** Writes as the client, and lets the chatbot reply. @param shownText of the reply, as Markdown */
async function chat(page: Page, message: string, reply: string, shownText = reply): Promise<void> {
  await page.getByRole("textbox", { name: "Message of the client" }).fill(message);
  await page.getByRole("button", { name: "Send" }).click();
  await answerNext(reply);
  await lastMessage(page).getByText(shownText).waitFor();
}

async function answerNext(reply: string): Promise<void> {
  const call = await provider.nextCall();
  call.say(reply);
  call.finish();
}

const lastMessage = (page: Page) => page.locator(".message").last();
const shown = async (page: Page): Promise<string[]> =>
  (await page.locator(".message .text").allTextContents()).map((text) => text.trim());

it("finds a chat by title, client and day, and opens it", async ({ page }) => {
  await createChat("About the harbour");
  await createChat("About the garden");
  await page.goto(`${server.address}/console#/chats`);
  await page.getByRole("link", { name: "About the garden" }).waitFor();
  await page.getByLabel("Title").fill("harbour");
  await page.getByRole("link", { name: "About the garden" }).waitFor({ state: "detached" });
  await page.getByLabel("Client").selectOption("Ada Lovelace");
  await page.getByLabel("Days").selectOption("yesterday");
  await page.getByText("No chat is like this").waitFor();
  await page.getByLabel("Days").selectOption("last 7 days");
  await page.getByRole("link", { name: "About the harbour" }).waitFor();
  await page.getByLabel("Begun from").fill(new Date().toISOString().slice(0, 10));
  await page.getByLabel("Days").getByText("today").waitFor({ state: "attached" });
  await expect.poll(() => page.getByLabel("Days").inputValue()).toBe("today");
  await page.getByRole("link", { name: "About the harbour" }).click();
  await page.getByRole("heading", { name: "About the harbour" }).waitFor();
  await page.getByText("Ada Lovelace with Guide").waitFor();
});

it("shows in one window what is written in another, while it is written", async ({ page }) => {
  const id = await createChat("Two windows");
  await openChat(page, id);
  // A browser of its own, as another person has.
  const context = await page.context().browser()?.newContext();
  onTestFinished(() => context?.close());
  const other = (await context?.newPage()) ?? page;
  await openChat(other, id);
  await page.getByRole("textbox", { name: "Message of the client" }).fill("Are you there?");
  await page.getByRole("button", { name: "Send" }).click();
  const call = await provider.nextCall();
  call.say("I am ");
  await other.getByText("Are you there?").waitFor();
  await lastMessage(other).getByText("I am").waitFor();
  call.say("here.");
  call.finish();
  for (const window of [page, other]) {
    await window.getByRole("button", { name: "Ask again" }).waitFor();
    await expect.poll(() => shown(window)).toEqual(["Are you there?", "I am here."]);
  }
});

it("asks again, edits, and switches between variants", async ({ page }) => {
  await openChat(page, await createChat("Variants"));
  await chat(page, "Name a colour", "Red");
  await page.getByRole("button", { name: "Ask again" }).click();
  await answerNext("Blue");
  await page.getByText("2 of 2").waitFor();
  await expect.poll(() => shown(page)).toEqual(["Name a colour", "Blue"]);
  await page.getByRole("button", { name: "Earlier variant" }).click();
  await page.getByText("1 of 2").waitFor();
  await expect.poll(() => shown(page)).toEqual(["Name a colour", "Red"]);
  await page.reload();
  await page.getByText("1 of 2").waitFor();
  await expect.poll(() => shown(page)).toEqual(["Name a colour", "Red"]);
});

it("edits a message, which asks anew", async ({ page }) => {
  await openChat(page, await createChat("Edit"));
  await chat(page, "First", "One");
  await chat(page, "Second", "Two");
  await page.getByRole("button", { name: "Edit" }).last().click();
  await page.getByRole("textbox", { name: "Message", exact: true }).fill("Another second");
  await page.locator(".message").getByRole("button", { name: "Send" }).click();
  await answerNext("Three");
  await lastMessage(page).getByText("Three").waitFor();
  await expect.poll(() => shown(page)).toEqual(["First", "One", "Another second", "Three"]);
});

it("rates an answer, and shows the rating after a reload", async ({ page }) => {
  const id = await createChat("Ratings");
  await openChat(page, id);
  await chat(page, "How much?", "Seven");
  await page.getByRole("button", { name: "Bad" }).click();
  await page.getByRole("button", { name: "Bad", pressed: true }).waitFor();
  await page.reload();
  await page.getByRole("button", { name: "Bad", pressed: true }).waitFor();
  const { messages } = await server.parley.sessions.messages(id);
  const message = messages.find(({ feedback }) => feedback);
  expect(message?.feedback?.rating).toBe(-1);
});

it("says why an answer is bad; a new rating keeps the comment and the tags", async ({ page }) => {
  const id = await createChat("Comments");
  await openChat(page, id);
  await chat(page, "How much?", "Seven");
  await page.getByRole("button", { name: "Good" }).waitFor();
  const feedback = async () =>
    (await server.parley.sessions.messages(id)).messages.find((one) => one.feedback)?.feedback;
  const { seq = 0 } =
    (await server.parley.sessions.messages(id)).messages.findLast(({ role }) => role === "assistant") ?? {};
  await server.parley.sessions.setFeedback(id, seq, { rating: 1, tags: ["price"] });
  await page.reload();
  await page.getByRole("button", { name: "Say why" }).click();
  await page.getByLabel("Why this answer is good").fill("<b>It is eight</b>");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByText("“<b>It is eight</b>”").waitFor();
  await page.getByRole("button", { name: "Bad" }).click();
  await page.getByRole("button", { name: "Bad", pressed: true }).waitFor();
  expect(await feedback()).toMatchObject({ rating: -1, tags: ["price"], comment: "<b>It is eight</b>" });
  await page.getByRole("button", { name: "Change comment" }).click();
  await page.getByLabel("Why this answer is bad").fill("");
  await page.getByRole("button", { name: "Save" }).click();
  await page.getByRole("button", { name: "Say why" }).waitFor();
  expect((await feedback())?.comment).toBeUndefined();
});

it("shows who waits for a person; one takes over, answers, and hands back", async ({ page }) => {
  const id = await createChat("Please, a person");
  await server.parley.sessions.requestHuman(id, { reason: "wants a person" });
  await page.goto(`${server.address}/console#/chats`);
  await page.getByLabel("Answered by").selectOption("waits for a person");
  await page.getByRole("link", { name: "Please, a person" }).click();
  await page.getByRole("button", { name: "Take over" }).click();
  await page.getByLabel("Your name").fill("Grace");
  await page.getByRole("dialog").getByRole("button", { name: "Take over" }).click();
  await page.getByText("Grace answers").waitFor();
  await page.getByRole("textbox", { name: "Answer to the client" }).fill("Good morning");
  await page.getByRole("button", { name: "Send" }).click();
  await lastMessage(page).getByText("Good morning").waitFor();
  await lastMessage(page).getByText("Grace").waitFor();
  await page.getByRole("button", { name: "Hand back" }).click();
  await page.getByRole("button", { name: "Take over" }).waitFor();
});

it("stops a reply, ends the chat and opens it again", async ({ page }) => {
  await openChat(page, await createChat("The end"));
  await page.getByRole("textbox", { name: "Message of the client" }).fill("Go on");
  await page.getByRole("button", { name: "Send" }).click();
  const call = await provider.nextCall();
  call.say("For ever and");
  await lastMessage(page).getByText("For ever and").waitFor();
  await page.getByRole("button", { name: "Stop", exact: true }).click();
  await lastMessage(page).getByText("stopped").waitFor();
  await call.closed;
  await page.getByRole("button", { name: "End", exact: true }).click();
  await page.getByText("This chat takes no messages").waitFor();
  await page.getByRole("button", { name: "Reopen" }).click();
  await page.getByRole("textbox", { name: "Message of the client" }).waitFor();
});

it("begins a chat", async ({ page }) => {
  await page.goto(`${server.address}/console#/chats`);
  await page.getByRole("button", { name: "New chat" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Chatbot").selectOption("Guide");
  await dialog.getByLabel("Client").selectOption({ index: 1 });
  await dialog.getByLabel("Title").fill("A fresh start");
  await page.getByRole("button", { name: "Begin" }).click();
  await page.getByRole("heading", { name: "A fresh start" }).waitFor();
});

it("shows a token of role client its own chats only, without what it may not do", async ({ page }) => {
  const id = await createChat("My own");
  const other = (await server.parley.clients.create({ name: "Somebody else" })).id;
  await server.parley.sessions.create({ chatbotId, clientId: other, title: "Not mine" });
  const data = await server.parley.keys.create({
    name: "page",
    role: "client",
    clientId,
  });
  await page.goto(`${server.address}/console#token=${data.key}`);
  await page.getByRole("link", { name: "My own" }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: "Not mine" }).count()).toBe(0);
  await expect.poll(() => page.getByRole("link", { name: "Compare" }).count()).toBe(0);
  await page.goto(`${server.address}/console#/chats/${id}`);
  await page.getByRole("textbox", { name: "Message of the client" }).waitFor();
  await chat(page, "Hello", "Good morning");
  await page.getByRole("button", { name: "Good", exact: true }).waitFor();
  for (const name of ["Take over", "Compare on other models"])
    expect([name, await page.getByRole("button", { name }).count()]).toEqual([name, 0]);
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  const id = await createChat(
    "How does a rather long title of a conversation look in the list and above the messages?",
  );
  await page.goto(`${server.address}/console#/chats`);
  await page.locator(".link-row").first().waitFor();
  await look(page, `chats-list-${name}`);
  await page.getByRole("button", { name: "New chat" }).click();
  await page.getByRole("dialog").getByLabel("Chatbot").waitFor();
  await look(page, `chats-new-${name}`);
  await openChat(page, id);
  await page.reload();
  await chat(page, "Show me **all** of it", "# All of it\n\n- a list\n- of things\n\n```\ncode\n```", "of things");
  await page.locator(".message pre").waitFor();
  await look(page, `chats-conversation-${name}`);
});
