/** The chat widget on a page of another origin: the example of its guide, as printed, in a browser, against a started server. */
import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { look } from "../support/console.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedProvider } from "../support/gated-provider.node.ts";
import { examplesOf } from "../support/guides.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

const folder = mkdtempSync(join(tmpdir(), "parley-widget-"));
const [example = ""] = examplesOf("widget.md", "js");
let port = 0;
let site = "";
let examplePage: ChildProcess;
let provider: GatedProvider;
let server: LocalServer;
let chatbotId = "";
let clientId = "";

interface Created {
  data: { id: string };
}

const create = async (path: string, body: unknown): Promise<string> =>
  (await server.parley.connection.call<Created>({ method: "POST", path, body })).data.id;

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const { port: free } = probe.address() as AddressInfo;
  await new Promise((resolve) => probe.close(resolve));
  return free;
}

beforeAll(async () => {
  port = await freePort();
  site = `http://localhost:${port}`;
  [server, provider] = await Promise.all([startLocalServer({ ALLOWED_ORIGINS: site }), startGatedProvider()]);
  const params = { max_attempts: 1 };
  const connector_type = "openai-connector";
  await server.parley.endpoints.create({
    name: "Gated",
    connector_type,
    uri: provider.uri,
    token: "t",
    model: "m",
    params,
  });
  chatbotId = await create("/chatbots", { name: "Helper", endpointId: "gated", greeting: "Hello! How can I help?" });
  clientId = await create("/clients", { name: "Ada" });
  writeFileSync(join(folder, "page.mjs"), example);
  const env = {
    ...process.env,
    PARLEY_URL: server.address,
    PARLEY_KEY: "parley-dev",
    CHATBOT_ID: chatbotId,
    CLIENT_ID: clientId,
    PORT: String(port),
  };
  examplePage = spawn(process.execPath, [join(folder, "page.mjs")], { env, stdio: "inherit" });
  while (!(await fetch(site).catch(() => null))) await sleep(50);
}, 240_000);

afterAll(async () => {
  examplePage.kill();
  await Promise.all([server.stop(), provider.stop()]);
  rmSync(folder, { recursive: true });
});

const texts = (page: Page): Promise<string[]> => page.locator(".message .text:visible").allTextContents();

const expectTexts = (page: Page, expected: string[]) =>
  expect.poll(() => texts(page), { timeout: 60_000 }).toEqual(expected);

async function open(page: Page): Promise<void> {
  await page.goto(site);
  await page.getByRole("button", { name: "Help" }).click();
}

async function send(page: Page, text: string) {
  const call = provider.nextCall();
  await page.getByRole("textbox", { name: "Message" }).fill(text);
  await page.keyboard.press("Enter");
  return await call;
}

interface Listed {
  data: { results: { id: string }[] };
}

async function newestSession(): Promise<string> {
  const { data } = await server.parley.connection.call<Listed>({
    method: "GET",
    path: `/sessions?chatbotId=${chatbotId}&limit=1`,
  });
  return data.results[0]?.id ?? "";
}

it("has the browser's theme, or the one of the page", async ({ page }) => {
  await open(page);
  const isBright = async () => {
    const panel = 'document.querySelector("[data-parley]").shadowRoot.querySelector(".panel")';
    const colour = await page.evaluate<string>(`getComputedStyle(${panel}).backgroundColor`);
    return Array.from(colour.matchAll(/\d+/g), ([part]) => Number(part)).every((part) => part > 127);
  };
  const host = page.locator("[data-parley]");
  const shown: Record<string, boolean> = {};
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    for (const theme of ["", "light", "dark"]) {
      await host.evaluate((element, given) => element.setAttribute("data-theme", given), theme);
      shown[`${colorScheme}, ${theme}`] = await isBright();
    }
  }
  expect(shown).toEqual({
    "light, ": true,
    "light, light": true,
    "light, dark": false,
    "dark, ": false,
    "dark, light": true,
    "dark, dark": false,
  });
});

it("is put on a page by fewer than 20 lines", () => {
  expect(example.trimEnd().split("\n").length).toBeLessThan(20);
});

it("shows a reply as it is written, in the middle of which a reload goes on, and lets it be stopped", async ({
  page,
}) => {
  await open(page);
  await expectTexts(page, ["Hello! How can I help?"]);
  const call = await send(page, "Tell me a story");
  call.say("Once upon");
  await expectTexts(page, ["Hello! How can I help?", "Tell me a story", "Once upon"]);
  await open(page);
  await expectTexts(page, ["Hello! How can I help?", "Tell me a story", "Once upon"]);
  call.say(" a time");
  await expectTexts(page, ["Hello! How can I help?", "Tell me a story", "Once upon a time"]);
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.getByText("Stopped").waitFor();
  await page.getByRole("button", { name: "Send" }).waitFor();
  const second = await send(page, "Go on");
  second.say("and then");
  second.finish();
  await expectTexts(page, ["Hello! How can I help?", "Tell me a story", "Once upon a time", "Go on", "and then"]);
});

it("takes hostile texts for texts", async ({ page }) => {
  await page.exposeFunction("attacked", () => expect.unreachable("a script of a message ran"));
  await open(page);
  const attacks = [
    "<script>attacked()</script>",
    "<img src=x onerror=attacked()>",
    "<svg onload=attacked()>",
    '<form action="https://evil.example"><input name=a></form>',
    "[click](javascript:attacked())",
    "</p></div><style>*{display:none}</style>",
    "<iframe srcdoc='<script>parent.attacked()</script>'>",
  ].join("\n");
  const call = await send(page, attacks);
  call.say(attacks);
  call.finish();
  await expectTexts(page, ["Hello! How can I help?", attacks, attacks]);
  const made = page.locator(".messages").locator("script, img, form, a, iframe, style, input");
  await expect.poll(() => made.count()).toBe(0);
  await page.reload();
  await page.getByRole("button", { name: "Help" }).click();
  await expectTexts(page, ["Hello! How can I help?", attacks, attacks]);
});

it("rates answers, and takes the rating back", async ({ page }) => {
  await open(page);
  const call = await send(page, "Is it open?");
  call.say("Yes");
  call.finish();
  const good = page.getByRole("button", { name: "Good answer" });
  const bad = page.getByRole("button", { name: "Bad answer" });
  await bad.click();
  const ratings = async () => {
    const id = await newestSession();
    const { data } = await server.parley.connection.call<{ data: { messages: { feedback?: { rating: number } }[] } }>({
      method: "GET",
      path: `/sessions/${id}/messages`,
    });
    return data.messages.map(({ feedback }) => feedback?.rating ?? 0);
  };
  await expect.poll(ratings).toEqual([0, 0, -1]);
  await open(page);
  await expect.poll(() => bad.getAttribute("aria-pressed")).toBe("true");
  await good.click();
  await expect.poll(ratings).toEqual([0, 0, 1]);
  await good.click();
  await expect.poll(ratings).toEqual([0, 0, 0]);
});

it("asks for a person, shows what the person writes, and says when the conversation has ended", async ({ page }) => {
  await open(page);
  await page.getByRole("button", { name: "Talk to a person" }).click();
  await page.getByText("Somebody will join you soon").waitFor();
  const id = await newestSession();
  await server.parley.connection.call({
    method: "POST",
    path: `/sessions/${id}/takeover`,
    body: { operator: { id: "o1", name: "Grace" } },
  });
  await page.getByText("You are talking to a person").waitFor();
  const message = { role: "assistant", content: "Grace here. What is it about?" };
  await server.parley.connection.call({ method: "POST", path: `/sessions/message?sessionId=${id}`, body: { message } });
  await expectTexts(page, ["Hello! How can I help?", "Grace here. What is it about?"]);
  await page.locator(".author:not(.hidden)", { hasText: "Grace" }).waitFor();
  await page.getByRole("textbox", { name: "Message" }).fill("My order");
  await page.keyboard.press("Enter");
  await expectTexts(page, ["Hello! How can I help?", "Grace here. What is it about?", "My order"]);
  await server.parley.connection.call({ method: "POST", path: `/sessions/${id}/end`, body: {} });
  await page.getByText("This conversation has ended").waitFor();
  await page.getByRole("button", { name: "Start a new conversation" }).click();
  await expectTexts(page, ["Hello! How can I help?"]);
  expect(await newestSession()).not.toBe(id);
});

it("asks for another token when one is refused, and says so when there is none", async ({ page }) => {
  const tokens: string[] = [];
  await page.route("**/token", async (route) => {
    const answer = await route.fetch();
    tokens.push((await answer.json()).token);
    await route.fulfill({ response: answer });
  });
  await open(page);
  await expectTexts(page, ["Hello! How can I help?"]);
  const { data: keys } = await server.parley.connection.call<{ data: { id: string }[] }>({
    method: "GET",
    path: "/keys",
  });
  for (const { id } of keys) await server.parley.connection.call({ method: "DELETE", path: `/keys/${id}` });
  const call = await send(page, "Still there?");
  call.say("Yes");
  call.finish();
  await expectTexts(page, ["Hello! How can I help?", "Still there?", "Yes"]);
  expect(new Set(tokens).size).toBe(2);
  await page.route("**/token", (route) => route.fulfill({ status: 500 }));
  await open(page);
  await page.getByText("The chat is not available at the moment.").waitFor();
  await page.unroute("**/token");
  await page.getByRole("button", { name: "Try again" }).click();
  await expectTexts(page, ["Hello! How can I help?", "Still there?", "Yes"]);
});

it("says that a reply failed, and gives the text back that was not sent", async ({ page }) => {
  await open(page);
  const call = await send(page, "Break");
  call.breakOff();
  await page.locator('[data-state="failed"] .note').waitFor();
  await page.route("**/sessions/chat*", (route) =>
    route.fulfill({ status: 400, json: { success: false, message: "no" } }),
  );
  const input = page.getByRole("textbox", { name: "Message" });
  await input.fill("Lost?");
  await page.keyboard.press("Enter");
  await page.getByText("Your message was not sent").waitFor();
  await expect.poll(() => input.inputValue()).toBe("Lost?");
});

it("works by keyboard alone", async ({ page }) => {
  await page.goto(site);
  await page.getByRole("button", { name: "Help" }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expectTexts(page, ["Hello! How can I help?"]);
  const call = provider.nextCall();
  await page.keyboard.type("One");
  await page.keyboard.press("Shift+Enter");
  await page.keyboard.type("two");
  await page.keyboard.press("Enter");
  const { say, finish } = await call;
  say("Three");
  finish();
  await expectTexts(page, ["Hello! How can I help?", "One\ntwo", "Three"]);
  await expect.poll(() => page.locator(".spoken").textContent()).toBe("Three");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });
  await expect.poll(() => page.evaluate('document.activeElement.hasAttribute("data-parley")')).toBe(true);
});

it("fills the screen at 390 px, follows the browser's dark mode and the page's colours", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await open(page);
  await expectTexts(page, ["Hello! How can I help?"]);
  const panel = page.getByRole("dialog");
  await expect.poll(() => panel.boundingBox()).toEqual({ x: 0, y: 0, width: 390, height: 844 });
  await look(page, "widget-phone");
  const background = () =>
    page.evaluate(
      'getComputedStyle(document.querySelector("[data-parley]").shadowRoot.querySelector(".panel")).backgroundColor',
    );
  await expect.poll(() => background()).toBe("rgb(255, 255, 255)");
  await page.emulateMedia({ colorScheme: "dark" });
  await expect.poll(() => background()).toBe("rgb(22, 25, 34)");
  await look(page, "widget-phone-dark");
  await page.addStyleTag({ content: ":root { --parley-background: rgb(1, 2, 3) }" });
  await expect.poll(() => background()).toBe("rgb(1, 2, 3)");
});
