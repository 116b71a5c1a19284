/** Runs, in the console of a started server: from a file to figures, down to one conversation. */
import { text as textOf } from "node:stream/consumers";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect } from "vitest";
import { it } from "../support/browser-test.node.ts";
import { LOOKS, look } from "../support/console.node.ts";
import { startLocalServer } from "../support/local-server.node.ts";
import type { LocalServer } from "../support/local-server.node.ts";
import { startTimedProvider } from "../support/timed-provider.node.ts";
import type { TimedProvider } from "../support/timed-provider.node.ts";

let server: LocalServer;
let provider: TimedProvider;
/** Whether the model `moody` fails. */
let isMoody = true;
/** Resolves when the model `gated` may answer. */
let gate: PromiseWithResolvers<void>;

beforeAll(async () => {
  gate = Promise.withResolvers<void>();
  provider = await startTimedProvider(
    async (model) => {
      if (model === "gated") await gate.promise;
      return model === "second" ? 30 : 5;
    },
    ({ model, prompt }) => {
      if (model === "moody" && isMoody && prompt.includes("Peru")) return { status: 400 };
      return model === "second"
        ? `I think that the answer to "${prompt}" is Lima.`
        : `The answer to "${prompt}" is Paris.`;
    },
  );
  server = await startLocalServer({ RATE_LIMITS: "off", ALLOW_PRIVATE_ENDPOINTS: "1" });
  for (const name of ["first", "second", "moody", "gated"])
    await server.parley.endpoints.create({
      name,
      connector_type: "openai-connector",
      uri: provider.uri,
      token: "t",
      model: name,
      prices: { input_per_million: 1, output_per_million: 3 },
    });
}, 240_000);

afterAll(() => Promise.all([server.stop(), provider.stop()]));

const ITEMS = [
  { id: "france", prompt: "The capital of France?", expect: { contains: "Paris" } },
  { id: "peru", turns: ["Think of Peru.", "Its capital?"], expect: { contains: "Lima" } },
];

const untilEnded = async (id: string): Promise<void> => {
  for await (const { type } of server.parley.runs.follow(id)) if (type === "run-ended") return;
};

async function choose(page: Page, ...endpoints: string[]): Promise<void> {
  for (const name of endpoints) await page.getByRole("checkbox", { name: new RegExp(`^${name}`) }).check();
}

it("makes a run of pasted lines, and shows its figures and each conversation", async ({ page }) => {
  await page.goto(`${server.address}/console#/runs`);
  await page.getByText("There is no run yet").waitFor();
  await page.getByRole("link", { name: "New run" }).click();
  await page.getByLabel("Items", { exact: true }).fill(ITEMS.map((item) => JSON.stringify(item)).join("\n"));
  await page.getByText("JSON Lines, 2 items").waitFor();
  await choose(page, "first", "second");
  await page.getByLabel("Put each item so many times").fill("2");
  await page.getByLabel("Name").fill("Capitals");
  await page.getByRole("button", { name: "Start run" }).click();
  await page.getByRole("heading", { name: "Capitals" }).waitFor();
  await page.getByText("complete", { exact: true }).waitFor();
  await page.getByText("12 of 12 answers").waitFor();
  const passed = page.getByRole("figure").filter({ hasText: "Passed" });
  await expect
    .poll(() => passed.getByRole("listitem").allTextContents())
    .toEqual(["first50 % · 2 of 4", "second50 % · 2 of 4"]);
  await page.getByRole("figure").filter({ hasText: "All of 2 pass" }).getByText("50 %").first().waitFor();
  const table = page.getByRole("table");
  await table.getByRole("row").filter({ hasText: "peru · rep. 2 · turn 2" }).getByText("not passed").waitFor();
  await expect.poll(() => table.getByRole("row").count()).toBe(7);
  await table.getByRole("button", { name: "peru · turn 2", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText("Think of Peru.", { exact: true }).waitFor();
  await dialog.getByText('The answer to "Its capital?" is Paris.').waitFor();
  await dialog.getByLabel("Beside").selectOption("second");
  await dialog.locator("del", { hasText: "Paris" }).first().waitFor();
  await dialog.locator("ins", { hasText: "Lima" }).first().waitFor();
  await dialog.getByLabel(/^Mark what differs/).uncheck();
  await dialog.getByText('I think that the answer to "Its capital?" is Lima.').waitFor();
  await dialog.getByRole("link", { name: "Open the conversation in Compare" }).click();
  await page.getByText("Its capital?", { exact: true }).first().waitFor();
});

it("shows a chatbot by its name wherever a run shows its endpoints, and loads the names once for a list", async ({
  page,
}) => {
  const { chatbots, runs } = server.parley;
  const { id: chatbotId } = await chatbots.create({ name: "Geographer", endpointId: "first" });
  const { id: otherId } = await chatbots.create({ name: "Geographer", endpointId: "second" });
  const endpoints = [`chatbot:${chatbotId}`, "second", `chatbot:${otherId}`];
  let id = "";
  for (const name of ["Named 1", "Named 2"]) {
    id = (await runs.create({ name, endpoints, items: ITEMS })).run_id;
    await untilEnded(id);
  }
  const calls: string[] = [];
  page.on("request", (request) => calls.push(new URL(request.url()).pathname));
  await page.goto(`${server.address}/console#/runs`);
  const row = page.getByRole("link", { name: /^Named 2/ });
  await row.getByText("Geographer, second, Geographer (2) · 9 answers").waitFor();
  expect(calls.filter((path) => path === "/chatbots")).toHaveLength(1);
  await row.click();
  const passed = page.getByRole("figure").filter({ hasText: "Passed" });
  await expect
    .poll(async () => (await passed.getByRole("listitem").allTextContents()).map((text) => text.replace(/\d.*/, "")))
    .toEqual(["Geographer", "second", "Geographer ("]);
  for (const name of ["Geographer", "Geographer (2)"])
    await page.getByRole("columnheader", { name, exact: true }).waitFor();
  await page.getByRole("button", { name: "france", exact: true }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Beside").selectOption({ label: "Geographer (2)" });
  await dialog.getByRole("article", { name: "Geographer", exact: true }).waitFor();
  await dialog.getByRole("article", { name: "Geographer (2)", exact: true }).waitFor();
  await dialog.getByRole("button", { name: "Close" }).click();
  await page.getByRole("combobox", { name: /^Endpoint/ }).selectOption({ label: "Geographer (2)" });
  await page.getByText("3 answers", { exact: true }).waitFor();
  await page.getByRole("cell", { name: "Geographer (2)" }).first().waitFor();
  await expect.poll(() => page.locator("body").innerText()).not.toContain("chatbot:");
});

it("filters the answers, and saves them as files", async ({ page }) => {
  const { run_id: id } = await server.parley.runs.create({
    name: "Filters",
    endpoints: ["first", "second"],
    items: ITEMS,
  });
  await untilEnded(id);
  await page.goto(`${server.address}/console#/runs/${id}`);
  const rows = page.getByRole("table").getByRole("row");
  await page.getByText("6 answers", { exact: true }).waitFor();
  await page.getByRole("combobox", { name: /^Show/ }).selectOption("Not passed");
  await page.getByText("2 answers", { exact: true }).waitFor();
  await expect
    .poll(() => rows.allInnerTexts())
    .toEqual([
      expect.any(String),
      expect.stringMatching(/^france\s+second\s+not passed/),
      expect.stringMatching(/^peru · turn 2\s+first\s+not passed/),
    ]);
  await page.getByRole("combobox", { name: /^Endpoint/ }).selectOption("second");
  await page.getByText("1 answer", { exact: true }).waitFor();
  await expect.poll(() => rows.nth(1).innerText()).toMatch(/^france\s+second\s+not passed/);
  await page.getByRole("searchbox", { name: /^Item/ }).fill("nothing");
  await page.getByRole("searchbox", { name: /^Item/ }).press("Enter");
  await page.getByText("No answer is like this.").waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  for (const [title, content] of [
    ["JSON Lines", '"id":"france"'],
    ["CSV", "item_id"],
    ["promptfoo", '"results"'],
    ["JUnit", "<testsuite"],
  ] as const) {
    const saved = page.waitForEvent("download");
    await page.getByRole("button", { name: `Save as ${title}` }).click();
    expect(await textOf(await (await saved).createReadStream())).toContain(content);
  }
});

it("names what is wrong with a file by its line, and keeps what was pasted", async ({ page }) => {
  await page.goto(`${server.address}/console#/runs/new`);
  await page.getByLabel("Items", { exact: true }).fill("pasted before");
  const file = { name: "prompts.csv", mimeType: "text/csv", buffer: Buffer.from("id,prompt\n1,a\n1,b\n") };
  await page.getByLabel("File with items").setInputFiles(file);
  await page.getByText("prompts.csv").waitFor();
  await choose(page, "first");
  await page.getByRole("button", { name: "Start run" }).click();
  await page
    .getByRole("alert")
    .getByText(/^Line 3/)
    .waitFor();
  await page.getByRole("button", { name: "Remove" }).click();
  await expect.poll(() => page.getByLabel("Items", { exact: true }).inputValue()).toBe("pasted before");
});

it("pauses, resumes and cancels a run, and asks again for what failed", async ({ page }) => {
  const items = Array.from({ length: 12 }, (_, index) => ({ prompt: `Question ${index}` }));
  const { run_id: id } = await server.parley.runs.create({
    name: "Gated",
    endpoints: ["gated"],
    items,
    concurrency: 2,
  });
  await page.goto(`${server.address}/console#/runs/${id}`);
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByText("paused", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("running", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Cancel Gated" }).click();
  await page.getByRole("button", { name: "Cancel Gated now" }).click();
  await page.getByText("cancelled", { exact: true }).waitFor();
  gate.resolve();
  await page.getByRole("button", { name: "Resume" }).click();
  await page.getByText("12 of 12 answers").waitFor();
  const failing = await server.parley.runs.create({ name: "Moody", endpoints: ["moody", "first"], items: ITEMS });
  await untilEnded(failing.run_id);
  await page.goto(`${server.address}/console#/runs/${failing.run_id}`);
  await page.getByText(/1 failed/).waitFor();
  await page.getByRole("button", { name: "peru", exact: true }).click();
  await page.getByRole("dialog").getByRole("alert").or(page.getByRole("dialog").locator(".note-bad")).first().waitFor();
  await page.getByRole("button", { name: "Close" }).click();
  isMoody = false;
  await page.getByRole("button", { name: "Ask again for what failed" }).click();
  await page.getByText("6 of 6 answers", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Ask again for what failed" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Delete Moody" }).click();
  await page.getByRole("button", { name: "Delete Moody now" }).click();
  await page.getByRole("link", { name: /^Gated/ }).waitFor();
  await expect.poll(() => page.getByRole("link", { name: /^Moody/ }).count()).toBe(0);
  isMoody = true;
});

it("shows a long run with the rows in view only, by mouse and by keyboard", async ({ page }) => {
  const items = Array.from({ length: 150 }, (_, index) => ({ prompt: `Question ${index}` }));
  const endpoints = ["first", "second"];
  const { run_id: id } = await server.parley.runs.create({ name: "Long", endpoints, items, concurrency: 32 });
  await page.goto(`${server.address}/console#/runs/${id}`);
  await page.getByText("300 of 300 answers", { exact: true }).waitFor({ timeout: 200_000 });
  const table = page.getByRole("table");
  await page.getByText("300 answers", { exact: true }).waitFor();
  await expect.poll(() => table.getAttribute("aria-rowcount")).toBe("151");
  await table.getByRole("button", { name: "1", exact: true }).waitFor();
  await page.getByRole("region", { name: "Table of answers" }).focus();
  await page.keyboard.press("End");
  await table.getByRole("button", { name: "150", exact: true }).waitFor();
  await expect.poll(() => table.getByRole("row").count()).toBeLessThan(60);
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page
    .getByRole("dialog")
    .getByText(/^Question/)
    .waitFor();
});

const OVERLAP = `(() => {
  const heading = document.createRange();
  heading.selectNodeContents(document.querySelector(".picker legend"));
  const one = heading.getBoundingClientRect();
  return [...document.querySelectorAll(".picker-tools > *")]
    .map((tool) => tool.getBoundingClientRect())
    .some((tool) => one.left < tool.right && tool.left < one.right && one.top < tool.bottom && tool.top < one.bottom);
})()`;

it("has a search among many endpoints that leaves their heading free, in a narrow window too", async ({ page }) => {
  for (let number = 1; number <= 9; number++)
    await server.parley.endpoints.create({ name: `Filler ${number}`, connector_type: "echo-connector" });
  for (const width of [390, 1280])
    for (const path of ["runs/new", "compare"]) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${server.address}/console#/${path}`);
      await page.getByRole("searchbox", { name: "Search endpoints" }).waitFor();
      await expect.poll(async () => [path, width, await page.evaluate(OVERLAP)]).toEqual([path, width, false]);
    }
});

it.for(LOOKS)("fits and is accessible: $name", async ({ name, colorScheme, ...size }, { page }) => {
  await page.setViewportSize(size);
  await page.emulateMedia({ colorScheme });
  const endpoints = ["first", "second", "moody"];
  const { run_id: id } = await server.parley.runs.create({
    name: `Capitals, ${name}`,
    endpoints,
    items: ITEMS,
    repeat: 3,
  });
  await untilEnded(id);
  await page.goto(`${server.address}/console#/runs`);
  await page
    .getByRole("link", { name: new RegExp(`^Capitals, ${name}`) })
    .first()
    .waitFor();
  await look(page, `runs-${name}`);
  await page.goto(`${server.address}/console#/runs/new`);
  await page.getByRole("checkbox", { name: "first" }).waitFor();
  await look(page, `runs-new-${name}`);
  await page.goto(`${server.address}/console#/runs/${id}`);
  await page.getByRole("button", { name: "peru · turn 2", exact: true }).waitFor();
  await look(page, `run-${name}`);
  await page.getByRole("table").scrollIntoViewIfNeeded();
  await look(page, `run-answers-${name}`);
  await page.getByRole("button", { name: "peru · turn 2", exact: true }).click();
  await page.getByLabel("Beside").selectOption("second");
  await page.locator(".difference ins").first().waitFor();
  await look(page, `run-conversation-${name}`);
});
