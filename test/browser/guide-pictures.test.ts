/** The pictures of the guides are of pages as they are now. `npm run docs:pictures` takes them anew. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";
import { expectPicture } from "../support/pictures.node.ts";

const MODELS = ["small", "large", "shop"];

/** What the models of the pictures say, by a part of the last message or else by the model. */
const REPLIES: readonly (readonly [asked: string, reply: string])[] = [
  [
    "lamp",
    "It left our warehouse this morning and arrives tomorrow before noon. Shall I send you the tracking number?",
  ],
  ["bulb", "The lamp takes bulbs of type E27. May I ask a colleague about yours?"],
  [
    "small",
    "Before a launch, check:\n\n1. **Backups**: restore one.\n2. **Limits**: what happens at ten times the load?\n3. **Support**: who answers on the first night?",
  ],
  [
    "large",
    "Three things that teams forget:\n\n1. **A way back.** Can the old version be there again in ten minutes?\n2. **Limits.** What happens at ten times the load, and who is told?\n3. **Words.** Support has the answers to the first ten questions.",
  ],
];

let provider: GatedProvider;
let server: LocalServer;
let chatbotId: string;
let clientId: string;

/** A page of a shop, with the widget, and the address of its tokens. */
const shop = createServer((request, answer) => {
  if (request.method === "POST") return void answerToken().then((token) => answer.end(JSON.stringify({ token })));
  answer.setHeader("content-type", "text/html");
  answer.end(`<!doctype html><html lang="en"><title>Shop</title>
<body style="font: 18px system-ui; margin: 40px; color: #333; background: #faf8f5"><h1>Lamps &amp; more</h1>
<p style="max-width: 15em">Lamps for reading, lamps for dinner, and one for the cat. Sent on the day of your order.</p>
<script src="${server.address}/widget.js" data-chatbot-id="${chatbotId}" data-token-url="/token" data-title="Lamps &amp; more" defer></script>`);
});

async function answerToken(): Promise<string> {
  return (await server.parley.keys.create({ name: "page", role: "client", clientId })).key;
}

/** Answers every call. */
async function answerCalls(): Promise<never> {
  for (;;) {
    const call = await provider.nextCall();
    const said = `${call.messages.at(-1)} ${call.model}`;
    call.say(REPLIES.find(([asked]) => said.includes(asked))?.[1] ?? "");
    call.finish();
  }
}

beforeAll(async () => {
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  const origin = `http://127.0.0.1:${(shop.address() as AddressInfo).port}`;
  [server, provider] = await Promise.all([startLocalServer({ ALLOWED_ORIGINS: origin }), startGatedProvider()]);
  void answerCalls();
  const fields = { connector_type: "openai-connector", token: "t", params: { max_attempts: 1 } } as const;
  for (const model of MODELS)
    await server.parley.endpoints.create({ name: `${model} model`, ...fields, uri: provider.uri, model });
  await server.parley.endpoints.create({ name: "llama", ...fields, uri: "http://127.0.0.1:9/v1", model: "llama3.2" });
  const greeting = "Hello! How can I help?";
  chatbotId = (await server.parley.chatbots.create({ name: "Shop assistant", endpointId: "shop-model", greeting })).id;
  clientId = (await server.parley.clients.create({ name: "Ada Lovelace" })).id;
}, 240_000);

afterAll(async () => {
  shop.close();
  await Promise.all([server.stop(), provider.stop()]);
});

/** A page whose pictures are sharp where guides show them. */
async function openSharp(page: Page, size: { width: number; height: number }): Promise<Page> {
  const browser = page.context().browser();
  if (!browser) throw new Error("The page has no browser");
  const sharp = await browser.newPage({ viewport: size, deviceScaleFactor: 1.5, colorScheme: "light" });
  sharp.setDefaultTimeout(60_000);
  return sharp;
}

it("a comparison of three endpoints", async ({ page }) => {
  const sharp = await openSharp(page, { width: 1080, height: 640 });
  await sharp.goto(`${server.address}/console`);
  for (const name of ["small model", "large model", "llama"]) await sharp.getByRole("checkbox", { name }).check();
  await sharp.getByRole("textbox", { name: "First prompt" }).fill("What should we check before a product launch?");
  await sharp.getByRole("button", { name: "Send" }).click();
  await sharp.getByText("2 complete, 1 failed").waitFor();
  await sharp.locator("article ol").nth(1).waitFor();
  await expectPicture(sharp, page, "console-compare");
});

it("a chat with a person who takes over", async ({ page }) => {
  const sharp = await openSharp(page, { width: 1080, height: 640 });
  const { id } = await server.parley.sessions.create({ chatbotId, clientId, title: "Order 1042" });
  await server.parley.sessions.chat(id, { content: "Where is my lamp?" });
  await server.parley.sessions.chat(id, { content: "My bulb does not fit. May I speak to a person?" });
  await server.parley.sessions.requestHuman(id, { reason: "The bulb does not fit" });
  await sharp.goto(`${server.address}/console#/chats/${id}`);
  await sharp.getByRole("log", { name: "Messages" }).getByText("May I ask a colleague").last().waitFor();
  await expectPicture(sharp, page, "console-chat");
});

/** Prompts of a run, and what a good answer contains. */
const ASKED = [
  ["status", "Where is my lamp?", "tracking"],
  ["bulb", "Which bulb fits?", "E27"],
  ["launch", "What should we check before a product launch?", "Backups"],
] as const;

it("a run of two endpoints", async ({ page }) => {
  const sharp = await openSharp(page, { width: 1080, height: 640 });
  const { run_id: id } = await server.parley.runs.create({
    name: "Questions of customers",
    endpoints: ["small-model", "large-model"],
    repeat: 3,
    items: ASKED.map(([name, prompt, contains]) => ({ id: name, prompt, expect: { contains } })),
  });
  await sharp.goto(`${server.address}/console#/runs/${id}`);
  await sharp.getByText("18 of 18 answers", { exact: true }).waitFor();
  await sharp.getByRole("table").last().waitFor();
  await expectPicture(sharp, page, "console-run");
});

it("the widget on a page of a shop", async ({ page }) => {
  const sharp = await openSharp(page, { width: 900, height: 620 });
  await sharp.goto(`http://127.0.0.1:${(shop.address() as AddressInfo).port}`);
  await sharp.getByRole("button", { name: "Lamps & more" }).click();
  await sharp.getByText("Hello! How can I help?").waitFor();
  await sharp.keyboard.type("Where is my lamp?");
  await sharp.keyboard.press("Enter");
  await sharp.getByText("tracking number").first().waitFor();
  await expectPicture(sharp, page, "widget");
});
