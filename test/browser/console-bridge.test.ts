/**
 * The bridge, in the console of a started server: from an answer that was rated down to one that is adopted, and bookmarks of
 * answers.
 */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;

let provider: GatedProvider;
let server: LocalServer;
let chatbotId: string;
let clientId: string;

beforeAll(async () => {
  provider = await startGatedProvider();
  server = await startLocalServer();
  const { endpoints, chatbots, clients } = server.parley;
  const connector = {
    connector_type: "openai-connector" as const,
    uri: provider.uri,
    token: "t",
    params: { max_attempts: 1 },
  };
  await endpoints.create({ name: "Slow", model: "slow", ...connector });
  await endpoints.create({ name: "Helpful", connector_type: "echo-connector", params: { pre_prompt: "Gladly: " } });
  await endpoints.create({ name: "Plain", connector_type: "echo-connector" });
  chatbotId = (await chatbots.create({ name: "Guide", endpointId: "plain" })).id;
  clientId = (await clients.create({ name: HOSTILE })).id;
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

/** A chat of two turns. The answers are messages 2 and 4. */
async function createChat(title: string): Promise<string> {
  const { id } = await server.parley.sessions.create({ chatbotId, clientId, title });
  for (const content of ["Hello", "Where is my lamp?"]) await server.parley.sessions.chat(id, { content });
  return id;
}

async function openChat(page: Page, id: string): Promise<void> {
  await page.goto(`${server.address}/console#/chats/${id}`);
  await page.getByRole("log", { name: "Messages" }).getByText("Where is my lamp?").first().waitFor();
}

/** Begins the comparison of the form that is open. */
async function putTo(page: Page, ...models: string[]): Promise<void> {
  const form = page.getByRole("dialog");
  for (const name of models) await form.getByRole("checkbox", { name }).check();
  await form.getByRole("button", { name: /^Compare on/ }).click();
  await page.getByRole("complementary", { name: "Replay of the chat" }).waitFor();
}

const answers = (page: Page, name: string) => page.getByRole("article", { name: `Answer of ${name}` });
const replay = (page: Page) => page.getByRole("complementary", { name: "Replay of the chat" });

it("compares a rated answer on other models, adopts the better one, and shows it in the chat as adopted", async ({
  page,
}) => {
  const id = await createChat("A lamp");
  await openChat(page, id);
  const rated = page.locator('[data-seq="4"]');
  await rated.getByRole("button", { name: "Bad" }).click();
  await rated.getByRole("button", { name: "Compare on other models" }).click();
  await putTo(page, "Helpful", "Guide");
  await replay(page).getByText("2 turns replayed").waitFor();
  await expect
    .poll(() => answers(page, "Recorded").allInnerTexts())
    .toEqual([expect.stringContaining("Hello"), expect.stringContaining("Where is my lamp?")]);
  await answers(page, "Helpful").last().getByText("Gladly: Where is my lamp?").waitFor();
  await expect.poll(() => answers(page, "Guide").count()).toBe(2);
  await expect.poll(() => answers(page, "Recorded").getByRole("button", { name: "Adopt" }).count()).toBe(0);
  await answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Adopt" }).waitFor();
  await expect.poll(() => page.getByRole("dialog").getByText("of this chat").count()).toBe(0);
  await page.getByRole("dialog").getByRole("button", { name: "Adopt" }).click();
  await page.getByRole("link", { name: "See it in the chat" }).click();
  const adopted = page.locator(".message-target");
  await adopted.getByText("Gladly: Where is my lamp?").waitFor();
  await adopted.getByText("Adopted answer of helpful").waitFor();
  await adopted.getByText("2 of 2").waitFor();
  await adopted.getByRole("link", { name: "Comparison" }).click();
  await replay(page).getByRole("link", { name: "Back to the chat" }).click();
  await page.getByRole("heading", { name: "A lamp" }).waitFor();
  await page.goBack();
  await page.reload();
  await answers(page, "Helpful").last().getByRole("link", { name: "Adopted" }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: "Adopted" }).count()).toBe(1);
  await expect.poll(() => answers(page, "Helpful").first().getByRole("button", { name: "Adopt" }).count()).toBe(1);
  await expect.poll(() => answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).count()).toBe(0);
});

it("names the chatbot whose answer was adopted or kept, also to an operator", async ({ page }) => {
  const id = await createChat("Rivals");
  const { bookmarks, chatbots, comparisons, keys } = server.parley;
  const rival = `chatbot:${(await chatbots.create({ name: "Rival", endpointId: "helpful" })).id}`;
  const { session_id, chat_ids } = await comparisons.create({ name: "c", endpoints: [rival], from_session: id });
  await comparisons.replay(session_id);
  const record = { chat_id: chat_ids[1] ?? "", chat_record_id: 2 };
  await comparisons.adopt(session_id, record);
  await bookmarks.create({ name: "A rival's", note: null, session_id, ...record });
  await page.goto(`${server.address}/console#/bookmarks`);
  await page
    .getByRole("listitem")
    .filter({ hasText: "A rival's" })
    .getByText(/^Rival ·/)
    .waitFor();
  await bookmarks.delete("A rival's");
  const { key } = await keys.create({ name: "Grace", role: "operator" });
  for (const token of ["", key]) {
    await page.goto("about:blank");
    await page.goto(`${server.address}/console#${token === "" ? "" : `token=${token}`}`);
    await page.getByRole("link", { name: "Chats", exact: true }).waitFor();
    await openChat(page, id);
    await page.getByRole("article", { name: /^Adopted answer of Rival,/ }).waitFor();
    await expect.poll(() => page.locator("body").innerText()).not.toContain("chatbot:");
  }
});

it("does not tell a client where an adopted answer is from", async ({ page }) => {
  const id = await createChat("For the client");
  const { comparisons, keys } = server.parley;
  const { session_id, chat_ids } = await comparisons.create({ name: "c", endpoints: ["helpful"], from_session: id });
  await comparisons.replay(session_id);
  await comparisons.adopt(session_id, { chat_id: chat_ids[1] ?? "", chat_record_id: 2 });
  const { key } = await keys.create({ name: "page", role: "client", clientId });
  await page.goto(`${server.address}/console#token=${key}`);
  await page.getByRole("link", { name: "For the client" }).click();
  await page.getByText("Adopted answer", { exact: true }).waitFor();
  await expect.poll(() => page.getByText("helpful").count()).toBe(0);
  await expect.poll(() => page.getByRole("button", { name: "Compare on other models" }).count()).toBe(0);
  await expect.poll(() => page.getByRole("link", { name: "Comparison" }).count()).toBe(0);
});

it("says why an answer is not adopted, and adopts it all the same on demand", async ({ page }) => {
  const id = await createChat("Goes on");
  await openChat(page, id);
  await page.locator(".session-head").getByRole("button", { name: "Compare on other models" }).click();
  await putTo(page, "Helpful");
  await replay(page).getByText("2 turns replayed").waitFor();
  await server.parley.sessions.chat(id, { content: "Never mind" });
  await answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Adopt" }).waitFor();
  await dialog.getByText("2 later messages of this chat leave its path; they stay as another variant.").waitFor();
  await server.parley.sessions.addMessage(id, { message: { role: "user", content: "Still there?" } });
  await dialog.getByRole("button", { name: "Adopt" }).click();
  await dialog.getByText("The chat has gone on since the comparison was made.").waitFor();
  await expect.poll(() => dialog.getByText(/expected_seq|session/).count()).toBe(0);
  await dialog.getByText("3 later messages of this chat").waitFor();
  await server.parley.sessions.end(id);
  await dialog.getByRole("button", { name: "Adopt all the same" }).click();
  await dialog.getByText("it is completed. Reopen it, then adopt.").waitFor();
  await expect.poll(() => dialog.getByRole("button", { name: "Adopt all the same" }).count()).toBe(0);
  await server.parley.sessions.update(id, { status: "ACTIVE" });
  await dialog.getByRole("button", { name: "Close" }).click();
  await answers(page, "Helpful").first().getByRole("button", { name: "Adopt" }).click();
  await dialog.getByText("5 later messages of this chat").waitFor();
  await dialog.getByRole("button", { name: "Adopt" }).click();
  await dialog.getByRole("button", { name: "Adopt all the same" }).click();
  await dialog.getByText("Adopted.").waitFor();
});

it("counts what leaves the path when the turn of the answer is in another variant", async ({ page }) => {
  const id = await createChat("Adopted twice");
  const { comparisons, sessions } = server.parley;
  const { session_id, chat_ids } = await comparisons.create({ name: "c", endpoints: ["helpful"], from_session: id });
  await comparisons.replay(session_id);
  await comparisons.adopt(session_id, { chat_id: chat_ids[1] ?? "", chat_record_id: 1 });
  for (const content of ["Where is my lamp?", "And now?"]) await sessions.chat(id, { content });
  await page.goto(`${server.address}/console#/compare/${session_id}`);
  await answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).click();
  await page.getByRole("dialog").getByText("5 later messages of this chat leave its path").waitFor();
});

it("adopts an answer after the reply that is being written in the chat, and not in a chat that was deleted", async ({
  page,
}) => {
  const { chatbots, comparisons, sessions } = server.parley;
  const { id: thinkerId } = await chatbots.create({ name: "Thinker", endpointId: "slow" });
  const { id } = await sessions.create({ chatbotId: thinkerId, clientId, title: "Answers again" });
  const chat = sessions.chat(id, { content: "Hello" });
  const first = await provider.nextCall();
  first.say("Well");
  first.finish();
  await chat;
  const { session_id } = await comparisons.create({ name: "c", endpoints: ["helpful"], from_session: id });
  await comparisons.replay(session_id);
  const again = sessions.regenerate(id, 2);
  const call = await provider.nextCall();
  await page.goto(`${server.address}/console#/compare/${session_id}`);
  await answers(page, "Helpful").getByRole("button", { name: "Adopt" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Adopt" }).click();
  await dialog.getByText("The chatbot is answering in the chat. Wait for its end, then adopt.").waitFor();
  call.finish();
  await again;
  await dialog.getByRole("button", { name: "Adopt", exact: true }).click();
  await dialog.getByText("The chat has gone on since").waitFor();
  await sessions.delete(id);
  await dialog.getByRole("button", { name: "Adopt all the same" }).click();
  await dialog.getByText("The chat was deleted, so there is nothing to adopt the answer in.").waitFor();
  await expect.poll(() => dialog.getByRole("link").count()).toBe(0);
});

it("marks the one answer that was adopted, of two that are the same", async ({ page }) => {
  const id = await createChat("Twice");
  const { comparisons } = server.parley;
  const endpoints = ["helpful", "helpful"];
  const { session_id } = await comparisons.create({ name: "c", endpoints, from_session: id });
  await comparisons.replay(session_id);
  await page.goto(`${server.address}/console#/compare/${session_id}`);
  const second = page.getByRole("article", { name: "Answer of Helpful (2)" }).last();
  await second.getByRole("button", { name: "Adopt" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Adopt" }).click();
  await page.getByText("Adopted.").waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  await second.getByRole("link", { name: "Adopted" }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: "Adopted" }).count()).toBe(1);
  await page.reload();
  await second.getByRole("link", { name: "Adopted" }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: "Adopted" }).count()).toBe(1);
});

it("shows what a chatbot greets with, and what the chat began with", async ({ page }) => {
  const { chatbots, comparisons, sessions } = server.parley;
  const { id: greeterId } = await chatbots.create({ name: "Greeter", endpointId: "plain", greeting: "**Welcome**" });
  const { id } = await sessions.create({ chatbotId: greeterId, clientId, title: "Greeted" });
  await sessions.chat(id, { content: "Hello" });
  await chatbots.update(greeterId, { greeting: "Hello again" });
  const fields = { name: "c", endpoints: ["helpful", `chatbot:${greeterId}`], from_session: id };
  const { session_id } = await comparisons.create(fields);
  await page.goto(`${server.address}/console#/compare/${session_id}`);
  const greeting = (name: string) => page.getByRole("article", { name: `Greeting of ${name}` });
  await greeting("Recorded").locator("strong", { hasText: "Welcome" }).waitFor();
  await greeting("Greeter").getByText("Hello again").waitFor();
  await comparisons.replay(session_id);
  await replay(page).getByText("1 turn replayed").waitFor();
  await page.reload();
  await greeting("Greeter").getByText("Hello again").waitFor();
  await expect.poll(() => page.getByRole("article", { name: /^Greeting of/ }).count()).toBe(2);
});

it("does not offer to compare a greeting, which answers nobody", async ({ page }) => {
  const { chatbots, sessions } = server.parley;
  const { id: greeterId } = await chatbots.create({ name: "Host", endpointId: "plain", greeting: "Welcome" });
  const { id } = await sessions.create({ chatbotId: greeterId, clientId, title: "Begun" });
  await page.goto(`${server.address}/console#/chats/${id}`);
  await page.locator('[data-seq="1"]').getByText("Welcome").waitFor();
  const above = page.locator(".session-head").getByRole("button", { name: "Compare on other models" });
  await expect.poll(() => above.count()).toBe(0);
  await sessions.chat(id, { content: "Hello" });
  await above.waitFor();
  const compare = (seq: number) =>
    page.locator(`[data-seq="${seq}"]`).getByRole("button", { name: "Compare on other models" });
  await compare(3).click();
  await page.getByRole("combobox", { name: "Up to" }).waitFor();
  await expect.poll(() => page.getByRole("option", { name: "Welcome" }).count()).toBe(0);
  await expect.poll(() => compare(1).count()).toBe(0);
});

it("goes on with a replay after a reload, with the conversation as it was", async ({ page }) => {
  const id = await createChat("Reload");
  await openChat(page, id);
  await page.locator(".session-head").getByRole("button", { name: "Compare on other models" }).click();
  await page.getByRole("radio", { name: "Keep the conversation as it was" }).check();
  await putTo(page, "Slow");
  const first = await provider.nextCall();
  first.say("One ");
  await replay(page).getByText("Turn 1 of 2").waitFor();
  await answers(page, "Slow").getByText("One").waitFor();
  await page.reload();
  await replay(page).getByText("Turn 1 of 2").waitFor();
  first.say("lamp");
  first.finish();
  await answers(page, "Slow").first().getByText("One lamp").waitFor();
  const second = await provider.nextCall();
  expect(second.messages.slice(-3)).toEqual(["Hello", "Hello", "Where is my lamp?"]);
  await replay(page).getByText("Turn 2 of 2").waitFor();
  second.finish();
  await replay(page).getByText("2 turns replayed").waitFor();
});

it("stops a replay, and goes on with it", async ({ page }) => {
  const id = await createChat("Stop");
  await openChat(page, id);
  await page.locator(".session-head").getByRole("button", { name: "Compare on other models" }).click();
  await putTo(page, "Slow");
  const first = await provider.nextCall();
  await replay(page).getByRole("button", { name: "Stop the replay" }).click();
  await first.closed;
  await replay(page).getByText("1 of 2 turns replayed").waitFor();
  await replay(page).getByRole("button", { name: "Go on" }).click();
  const second = await provider.nextCall();
  expect(second.messages.at(-1)).toBe("Where is my lamp?");
  second.say("Here");
  second.finish();
  await replay(page).getByText("2 turns replayed").waitFor();
});

it("works by keyboard alone: from an answer to its adoption", async ({ page }) => {
  await openChat(page, await createChat("Keys only"));
  await page.locator('[data-seq="4"]').getByRole("button", { name: "Compare on other models" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("checkbox", { name: "Helpful" }).focus();
  await page.keyboard.press("Space");
  await page.keyboard.press("Enter");
  await replay(page).getByText("2 turns replayed").waitFor();
  await answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Adopt" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("link", { name: "See it in the chat" }).focus();
  await page.keyboard.press("Enter");
  await page.locator(".message-target").getByText("Gladly").waitFor();
});

it("keeps an answer as a bookmark, lists it, opens it and deletes it; names and notes are text", async ({ page }) => {
  const { comparisons } = server.parley;
  const { session_id: id } = await comparisons.create({ name: "Kept", endpoints: ["helpful"] });
  await comparisons.prompt(id, { prompt: HOSTILE });
  await page.goto(`${server.address}/console#/compare/${id}`);
  await answers(page, "Helpful").getByRole("button", { name: "Bookmark" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(HOSTILE);
  await dialog.getByLabel("Note").fill(HOSTILE);
  await dialog.getByRole("button", { name: "Keep" }).click();
  await dialog.getByRole("link", { name: "All bookmarks" }).click();
  await page.getByText("Prompt and answer").click();
  await page.locator(".bookmark-prompt").getByText("onerror").waitFor();
  await expect.poll(() => page.locator("main img, main script").count()).toBe(0);
  await expect.poll(() => page.title()).not.toContain("owned");
  await page.getByRole("link", { name: /^The comparison of/ }).click();
  await answers(page, "Helpful").getByRole("button", { name: "Bookmark" }).click();
  await dialog.getByLabel("Name").fill(HOSTILE);
  await dialog.getByRole("button", { name: "Keep" }).click();
  await dialog.getByRole("alert").waitFor();
  await page.goto(`${server.address}/console#/bookmarks`);
  await page.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("button", { name: "now" }).click();
  await page.getByText("Nothing is kept yet").waitFor();
});

it("leads from a bookmark to its answer, which is in sight and marked", async ({ page }) => {
  const { comparisons, bookmarks } = server.parley;
  const endpoints = ["plain", "helpful", "plain", "plain", "plain", "plain"];
  const { session_id, chat_ids } = await comparisons.create({ name: "Long", endpoints });
  const long = "A line.\n\n".repeat(20);
  for (const number of [1, 2, 3, 4]) await comparisons.prompt(session_id, { prompt: `${long}Prompt ${number}` });
  for (const [number, chatId] of [
    [2, chat_ids[5]],
    [4, chat_ids[1]],
  ] as const) {
    const name = `Kept ${number}`;
    await bookmarks.create({ name, session_id, chat_id: chatId ?? "", chat_record_id: number });
    await page.goto(`${server.address}/console#/bookmarks`);
    await page.getByRole("link", { name: `The comparison of ${name}` }).click();
    await page.locator(".cell-target").getByText(`Prompt ${number}`).waitFor();
    await expect
      .poll(
        () =>
          page.evaluate(`(() => {
        const sight = document.querySelector(".answers").getBoundingClientRect();
        const { left, right, top, bottom } = document.querySelector(".cell-target").getBoundingClientRect();
        const middle = (top + bottom) / 2;
        return left >= sight.left - 1 && right <= sight.right + 1 && middle > sight.top && middle < sight.bottom;
      })()`),
        { timeout: 10_000 },
      )
      .toBe(true);
  }
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  const id = await createChat("A lamp that does not arrive");
  await openChat(page, id);
  await page.locator(".session-head").getByRole("button", { name: "Compare on other models" }).click();
  await page.getByRole("dialog").getByRole("checkbox", { name: "Helpful" }).check();
  await look(page, `bridge-form-${name}`);
  await putTo(page, "Guide");
  await replay(page).getByText("2 turns replayed").waitFor();
  await look(page, `bridge-${name}`);
  await answers(page, "Helpful").last().getByRole("button", { name: "Bookmark" }).click();
  await page.getByRole("dialog").getByLabel("Name").fill(`Good answer ${name}`);
  await page.getByRole("dialog").getByLabel("Note").fill("It says when the lamp comes");
  await look(page, `bookmark-form-${name}`);
  await page.getByRole("dialog").getByRole("button", { name: "Keep" }).click();
  await page.getByRole("link", { name: "All bookmarks" }).click();
  await page.getByText("Prompt and answer").first().click();
  await look(page, `bookmarks-${name}`);
  await page.goBack();
  await answers(page, "Helpful").last().getByRole("button", { name: "Adopt" }).click();
  await look(page, `adopt-${name}`);
  await page.getByRole("dialog").getByRole("button", { name: "Adopt" }).click();
  await page.getByRole("link", { name: "See it in the chat" }).click();
  await page.locator(".message-target").waitFor();
  await look(page, `adopted-${name}`);
});
