/**
 * What was written and not sent, in the console of a started server: it is there again after a reload, whatever the form, and what
 * the server refuses comes back. The forms of endpoints and keys are in `console-admin.test.ts`, those of chatbots in
 * `console-people.test.ts`.
 */
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let provider: GatedProvider;
let server: LocalServer;
/** A comparison with an answer. */
let comparison: string;
/** A chat with an answer that is rated down. */
let chat: string;

beforeAll(async () => {
  provider = await startGatedProvider();
  server = await startLocalServer();
  const { chatbots, clients, comparisons, endpoints, sessions } = server.parley;
  await endpoints.create({
    name: "Slow",
    connector_type: "openai-connector",
    uri: provider.uri,
    token: "t",
    model: "slow",
    params: { max_attempts: 1 },
  });
  comparison = (await comparisons.create({ name: "Open", endpoints: ["echo"] })).session_id;
  await comparisons.prompt(comparison, { prompt: "Hello" });
  const { id: chatbotId } = await chatbots.create({ name: "Guide", endpointId: "echo" });
  const { id: clientId } = await clients.create({ name: "Grace" });
  chat = (await sessions.create({ chatbotId, clientId, title: "A lamp" })).id;
  await sessions.chat(chat, { content: "Where is it?" });
  await sessions.setFeedback(chat, 2, { rating: -1 });
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

const open = (page: Page, hash: string) => page.goto(`${server.address}/console${hash}`);
const press = (within: Page | Locator, name: string) => within.getByRole("button", { name, exact: true }).click();

interface Form {
  name: string;
  hash: () => string;
  open: (page: Page) => Promise<unknown>;
  labels: string[];
}

const FORMS: Form[] = [
  { name: "a prompt", hash: () => `#/compare/${comparison}`, open: async () => undefined, labels: ["Next prompt"] },
  {
    name: "the settings of a comparison",
    hash: () => `#/compare/${comparison}`,
    open: (page) => press(page, "Settings"),
    labels: ["System prompt"],
  },
  {
    name: "a bookmark",
    hash: () => `#/compare/${comparison}`,
    open: (page) => page.getByRole("button", { name: /^Bookmark the answer/ }).click(),
    labels: ["Name", "Note"],
  },
  { name: "a new chat", hash: () => "#/chats", open: (page) => press(page, "New chat"), labels: ["Title"] },
  {
    name: "a message of a chat",
    hash: () => `#/chats/${chat}`,
    open: async () => undefined,
    labels: ["Message of the client"],
  },
  {
    name: "another variant of a message",
    hash: () => `#/chats/${chat}`,
    open: (page) => press(page, "Edit"),
    labels: ["Message"],
  },
  {
    name: "a comment with a rating",
    hash: () => `#/chats/${chat}`,
    open: (page) => press(page, "Say why"),
    labels: ["Why this answer is bad"],
  },
  { name: "a run", hash: () => "#/runs/new", open: async () => undefined, labels: ["Items", "Name"] },
];

/** A field, wherever else its label stands. */
const fieldOf = (page: Page, label: string) => page.getByRole("textbox", { name: label, exact: true });

it.for(FORMS)("keeps $name over a reload, in the tab only", async ({ hash, open: openForm, labels }, { page }) => {
  await open(page, hash());
  await openForm(page);
  for (const label of labels) await fieldOf(page, label).fill(`Half written: ${label}`);
  await page.reload();
  await openForm(page);
  for (const label of labels) await expect.poll(() => fieldOf(page, label).inputValue()).toBe(`Half written: ${label}`);
  await expect.poll(() => page.evaluate("JSON.stringify({ ...localStorage })")).not.toContain("Half written");
});

it("forgets what was saved", async ({ page }) => {
  await open(page, `#/compare/${comparison}`);
  await press(page, "Settings");
  await fieldOf(page, "System prompt").fill("Be kind.");
  await press(page.getByRole("dialog"), "Save");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(async () => (await server.parley.comparisons.get(comparison)).system_prompt).toBe("Be kind.");
  await open(page, `#/chats/${chat}`);
  await press(page, "Say why");
  await fieldOf(page, "Why this answer is bad").fill("It is too short.");
  await press(page, "Save");
  await page.getByText("“It is too short.”").waitFor();
  await open(page, "#/runs/new");
  await fieldOf(page, "Items").fill("Hello");
  await page.getByRole("checkbox", { name: "echo echo" }).check();
  await press(page, "Start run");
  await page.getByRole("heading", { name: "Run" }).waitFor();
  await expect
    .poll(() => page.evaluate("Object.keys(sessionStorage).sort()"))
    .toEqual(["parley.token", "parley.writer"]);
});

it("forgets what was written when somebody with another role signs in", async ({ page }) => {
  const { keys } = server.parley;
  const [admin, service] = [
    await keys.create({ name: "a", role: "admin" }),
    await keys.create({ name: "s", role: "service" }),
  ];
  const signIn = async (key: string) => {
    await press(page, "Sign out");
    await page.getByLabel("Token").fill(key);
    await press(page, "Sign in");
  };
  await open(page, `#/compare/${comparison}`);
  const field = fieldOf(page, "Next prompt");
  await field.fill("Of the admin");
  await signIn(admin.key);
  await expect.poll(() => field.inputValue()).toBe("Of the admin");
  await signIn(service.key);
  await expect.poll(() => field.inputValue()).toBe("");
  await expect.poll(() => page.evaluate("JSON.stringify({ ...sessionStorage })")).not.toContain("Of the admin");
  for (const { id } of [admin, service]) await keys.delete(id);
});

it("gives a prompt back that the server refuses, before what was written since", async ({ page }) => {
  const { comparisons } = server.parley;
  const { session_id: id } = await comparisons.create({ name: "Full", endpoints: ["slow"] });
  let isHeld = false;
  let release = () => {};
  await page.routeWebSocket(/\/ws/, (socket) => {
    const held: (string | Buffer)[] = [];
    socket.connectToServer().onMessage((message) => (isHeld ? held.push(message) : socket.send(message)));
    release = () => {
      isHeld = false;
      for (const message of held.splice(0)) socket.send(message);
    };
  });
  await open(page, `#/compare/${id}`);
  const field = fieldOf(page, "Prompt").or(fieldOf(page, "Next prompt"));
  // One runs, sixteen wait.
  for (let number = 1; number <= 17; number += 1) {
    await field.fill(`Prompt ${number}`);
    await press(page, "Send");
  }
  await field.fill("One too many");
  isHeld = true;
  await press(page, "Send");
  await field.fill("Written since");
  release();
  await page.getByText("Too many turns wait in this session").waitFor();
  await expect.poll(() => field.inputValue()).toBe("One too many\n\nWritten since");
  await page.reload();
  await expect.poll(() => field.inputValue()).toBe("One too many\n\nWritten since");
  await comparisons.cancel(id);
});

it("cuts no text that is too long, and gives it back when the server refuses it", async ({ page }) => {
  await open(page, `#/chats/${chat}`);
  const field = fieldOf(page, "Message of the client");
  // The last one is too large for a frame.
  for (const length of [100_001, 1_100_000]) {
    await field.fill("x".repeat(length));
    await press(page, "Send");
    await page
      .getByRole("alert")
      .getByText(/100,?000/)
      .waitFor();
    await expect.poll(async () => (await field.inputValue()).length).toBe(length);
    await field.fill("");
  }
  await press(page, "Edit");
  await fieldOf(page, "Message").fill("x".repeat(100_001));
  await press(page.locator('[data-seq="1"]'), "Send");
  await page.locator('[data-seq="1"]').getByRole("alert").waitFor();
  await expect.poll(async () => (await fieldOf(page, "Message").inputValue()).length).toBe(100_001);
});

it("leaves a message in its field that did not reach the server", async ({ page }) => {
  const { sessions } = server.parley;
  await sessions.takeOver(chat, { operator: { id: "o", name: "Olga" } });
  await open(page, `#/chats/${chat}`);
  const field = fieldOf(page, "Answer to the client");
  await field.fill("It is in the post.");
  await page.context().setOffline(true);
  await press(page, "Send");
  // What is written now would be lost with what is sent.
  await expect.poll(() => field.isEditable()).toBe(false);
  await page.getByText("The server cannot be reached").waitFor();
  await expect.poll(() => field.inputValue()).toBe("It is in the post.");
  await page.context().setOffline(false);
  await press(page, "Send");
  await page.getByRole("log", { name: "Messages" }).getByText("It is in the post.").waitFor();
  await expect.poll(() => field.inputValue()).toBe("");
  await sessions.handBack(chat, {});
});
