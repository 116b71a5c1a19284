/** What a turn is planned from is prepared once for all its chats. */
import { expect, it, vi } from "vitest";
import { SessionLoader } from "../../../src/live/session-loader.ts";
import { planTurn, sentPrompts } from "../../../src/live/turns/plan-turn.ts";
import { renderTemplate } from "../../../src/turn/templates/render-template.ts";
import { aChatSession, aWorld } from "../../support/session-world.ts";

vi.mock("../../../src/turn/templates/render-template.ts", { spy: true });

it("renders the template of a comparison once, however many chats it has", async () => {
  const chats = Array.from({ length: 64 }, (_, n) => ({ chatId: `chat ${n}`, endpointId: `endpoint ${n}` }));
  const ofNothing = { chatbotId: null, clientId: null };
  const session = aChatSession({ kind: "comparison", ...ofNothing, chats, promptTemplate: "shout" });
  const world = aWorld(session);
  const template = { name: "shout", description: "", template: "{{ prompt | upper }}!", createdAt: 0 };
  world.records.readTurnContext = async () => ({ of: "comparison", comparison: { endpoints: [], template } });
  await new SessionLoader(world).load();
  const planned = await planTurn(world, session, { content: "hello", seq: null });
  expect(planned.ok && planned.value.tasks.map(({ preparedPrompt }) => preparedPrompt)).toEqual(
    chats.map(() => "HELLO!"),
  );
  expect(renderTemplate).toHaveBeenCalledTimes(1);
});

it("plans the chats of an interrupted turn with what it had started with, not with what was set since", async () => {
  const chats = [{ chatId: "chat", endpointId: "endpoint" }];
  const ofNothing = { chatbotId: null, clientId: null };
  const session = aChatSession({ kind: "comparison", ...ofNothing, chats, systemPrompt: "new" });
  const world = aWorld(session);
  world.records.readTurnContext = async () => ({ of: "comparison", comparison: { endpoints: [], template: null } });
  await new SessionLoader(world).load();
  const attack = { module: "m", prompt: "p" };
  const settings = { promptTemplate: null, contextStrategy: null, previousPrompts: null, systemPrompt: "old", attack };
  const turn = { turnId: "turn", number: 1, startedAt: 0, chatIds: ["chat"], ...settings };
  expect(sentPrompts(world.log, session, turn)).toMatchObject([{ chatId: "chat", systemPrompt: "old", attack }]);
});
