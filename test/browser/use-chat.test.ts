/** The page of the guide to the AI SDK, as printed, in a browser: `useChat` with its default transport, against a started server. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { examplesOf } from "../support/guides.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";
import { startPageServer } from "../support/page-server.node.ts";
import type { PageServer } from "../support/page-server.node.ts";

let pages: PageServer;
let provider: GatedProvider;
let server: LocalServer;
let chatbotId: string;
let clientId: string;
/** A token of role `client`, as an end user's page has one. */
let token: string;

interface Created {
  data: { id: string; key: string };
}

const create = async (path: string, body: unknown): Promise<Created["data"]> =>
  (await server.parley.connection.call<Created>({ method: "POST", path, body })).data;

beforeAll(async () => {
  [pages, provider] = await Promise.all([startPageServer(), startGatedProvider()]);
  server = await startLocalServer({ ALLOWED_ORIGINS: pages.origin });
  await server.parley.endpoints.create({
    name: "Gated",
    connector_type: "openai-connector",
    uri: provider.uri,
    token: "t",
    model: "m",
    params: { max_attempts: 1 },
  });
  chatbotId = (await create("/chatbots", { name: "Gated", endpointId: "gated" })).id;
  clientId = (await create("/clients", { name: "Ada" })).id;
  token = (await create("/keys", { name: "page", role: "client", clientId })).key;
  await pages.show(moduleOf(examplesOf("ai-sdk.md", "tsx")[0] ?? ""));
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop(), pages.stop()]));

/** The component of the guide, with the address of this server, and the lines that put it on a page. */
const moduleOf = (component: string): string => `
import { createRoot } from "react-dom/client";
${component.replace("https://parley.example.com", server.address)}
const { session, token } = Object.fromEntries(new URLSearchParams(location.search));
const answer = await fetch(PARLEY + "/ui/chat/" + session, { headers: { authorization: "Bearer " + token } });
createRoot(document.getElementById("root")).render(<Chat session={session} token={token} messages={await answer.json()} />);
`;

const createSession = async (): Promise<string> => (await create("/sessions", { chatbotId, clientId })).id;

async function open(page: Page, session: string): Promise<void> {
  await page.goto(`${pages.origin}/?session=${session}&token=${token}`);
  await page.waitForSelector("input");
}

async function send(page: Page, text: string): Promise<void> {
  await page.fill("input", text);
  await page.press("input", "Enter");
}

/** What the page shows of the conversation. */
const conversation = (page: Page): Promise<string[]> => page.locator("p:not([role])").allTextContents();

const expectConversation = (page: Page, messages: string[]) =>
  expect.poll(() => conversation(page), { timeout: 60_000 }).toEqual(messages);

/** The conversation as the server has it. */
async function history(session: string): Promise<string[]> {
  interface Message {
    role: string;
    parts: { text: string }[];
  }
  const messages = await server.parley.connection.call<Message[]>({ method: "GET", path: `/ui/chat/${session}` });
  return messages.map(({ role, parts }) => `${role}: ${parts.map(({ text }) => text).join("")}`);
}

it("sends a message and shows the reply while it comes", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await send(page, "Hello");
  const call = await provider.nextCall();
  call.say("How do ");
  await expectConversation(page, ["user: Hello", "assistant: How do "]);
  call.say("you do?");
  await expectConversation(page, ["user: Hello", "assistant: How do you do?"]);
  call.finish();
  await page.getByText("Another reply").waitFor();
  await expectConversation(page, ["user: Hello", "assistant: How do you do?"]);
  expect(await history(session)).toEqual(["user: Hello", "assistant: How do you do?"]);
});

it("goes on with a second message", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await ask(page, "One", "First");
  await ask(page, "Two", "Second");
  await expectConversation(page, ["user: One", "assistant: First", "user: Two", "assistant: Second"]);
  expect(await history(session)).toEqual(["user: One", "assistant: First", "user: Two", "assistant: Second"]);
});

/** Sends a message and lets the whole reply come. */
async function ask(page: Page, text: string, reply: string): Promise<void> {
  await send(page, text);
  const call = await provider.nextCall();
  call.say(reply);
  call.finish();
  await page.getByText(`assistant: ${reply}`).waitFor();
  await page.getByText("Another reply").waitFor();
}

it("stops: the provider is left, the text so far stays", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await send(page, "Tell me all");
  const call = await provider.nextCall();
  call.say("To begin with");
  await page.getByText("assistant: To begin with").waitFor();
  await page.getByText("Stop").click();
  await call.closed;
  await expectConversation(page, ["user: Tell me all", "assistant: To begin with"]);
  await page.reload();
  await expectConversation(page, ["user: Tell me all", "assistant: To begin with"]);
  // A stopped conversation goes on.
  await ask(page, "Thanks", "You are welcome");
});

it("regenerates: the new reply takes the place of the old one", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await ask(page, "Name a colour", "Red");
  await page.getByText("Another reply").click();
  const call = await provider.nextCall();
  expect(call.messages).toEqual(["Name a colour"]);
  call.say("Blue");
  await expectConversation(page, ["user: Name a colour", "assistant: Blue"]);
  call.finish();
  await page.getByText("Another reply").waitFor();
  await page.reload();
  await expectConversation(page, ["user: Name a colour", "assistant: Blue"]);
});

it("regenerates a reply of the history, which the page did not receive itself", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await ask(page, "Name a colour", "Red");
  await page.reload();
  await page.getByText("assistant: Red").waitFor();
  await page.getByText("Another reply").click();
  const call = await provider.nextCall();
  call.say("Green");
  call.finish();
  await expectConversation(page, ["user: Name a colour", "assistant: Green"]);
});

it("shows the whole answer once after a reload in mid-stream", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await ask(page, "Hello", "Good day");
  await send(page, "Count to four");
  const call = await provider.nextCall();
  call.say("One, two");
  await page.getByText("assistant: One, two").waitFor();
  await page.reload();
  const before = ["user: Hello", "assistant: Good day", "user: Count to four"];
  await expectConversation(page, [...before, "assistant: One, two"]);
  call.say(", three, four");
  await expectConversation(page, [...before, "assistant: One, two, three, four"]);
  call.finish();
  await page.getByText("Another reply").waitFor();
  await expectConversation(page, [...before, "assistant: One, two, three, four"]);
  expect(await history(session)).toEqual([...before, "assistant: One, two, three, four"]);
});

it("shows the whole answer once in a tab that was closed and opened again after the reply", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await send(page, "Count to four");
  const call = await provider.nextCall();
  call.say("One, two");
  await page.getByText("assistant: One, two").waitFor();
  await page.goto("about:blank");
  call.say(", three, four");
  call.finish();
  const whole = ["user: Count to four", "assistant: One, two, three, four"];
  await expect.poll(() => history(session)).toEqual(whole);
  await open(page, session);
  await expectConversation(page, whole);
});

it("shows that a reply failed, and asks again", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await send(page, "Hello");
  const failing = await provider.nextCall();
  failing.say("How");
  failing.breakOff();
  await page.getByRole("alert").waitFor();
  await page.getByText("Another reply").click();
  const call = await provider.nextCall();
  expect(call.messages).toEqual(["Hello"]);
  call.say("How do you do?");
  call.finish();
  await expectConversation(page, ["user: Hello", "assistant: How do you do?"]);
  await expect.poll(() => page.getByRole("alert").count()).toBe(0);
});

it("shows the reason of a refusal, in words", async ({ page }) => {
  const session = await createSession();
  await open(page, session);
  await server.parley.sessions.end(session);
  await send(page, "Hello?");
  await expect.poll(() => page.getByRole("alert").textContent()).toContain("Active session not found");
});
