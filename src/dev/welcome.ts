import { styleText } from "node:util";
import { ELIZA } from "./seed.ts";
import type { ParleyClient } from "../client/parley-client.ts";
import { DEFAULT_ADDRESS, localAdminKey } from "./settings.ts";

/** What a newcomer needs to know of a server that runs: where it is, how to come in, and a first call to paste. */
export async function welcome(parley: ParleyClient): Promise<string> {
  const label = (text: string) => styleText("dim", text.padEnd(12));
  const { invitation, commands } = await firstCall(parley);
  return [
    "",
    `  ${styleText(["bold", "green"], "Parley is ready")} at ${styleText("bold", parley.address)}`,
    "",
    `  ${label("Admin key")}${parley.key}`,
    `  ${label("Docs")}${parley.address}/docs`,
    `  ${label("A tour")}${tour(parley)}`,
    "",
    `  ${invitation} Paste this into another terminal:`,
    "",
    // Not indented and without comments: it is copied as it stands, into any shell.
    ...commands.flatMap((lines) => [lines.join(" \\\n  "), ""]),
  ].join("\n");
}

/** The demo's command, told what it would not guess. */
function tour({ address, key }: ParleyClient): string {
  const told = [
    ...(address === DEFAULT_ADDRESS ? [] : [`PARLEY_URL=${address}`]),
    ...(key === localAdminKey() ? [] : [`PARLEY_KEY=${quoted(key)}`]),
  ];
  return [...told, "npm run demo"].join(" ");
}

/** What to say first, and to whom: commands for a shell, each in lines. */
async function firstCall(parley: ParleyClient): Promise<{ invitation: string; commands: string[][] }> {
  const { address, key } = parley;
  const authorization = `-H ${quoted(`Authorization: Bearer ${key}`)}`;
  const pair = await someChatbotAndClient(parley);
  if (!pair) return { invitation: "A first call.", commands: [[`curl -w '\\n' ${address}/chatbots`, authorization]] };
  const headers = `${authorization} -H 'Content-Type: application/json'`;
  const session = JSON.stringify({ chatbotId: pair.chatbot.id, clientId: pair.client.id });
  const message = JSON.stringify({ content: "Hello, I feel a little nervous today." });
  return {
    invitation: `Talk to ${pair.chatbot.name}.`,
    commands: [
      [
        `SESSION=$(curl -sS ${address}/sessions`,
        headers,
        `-d ${quoted(session)}`,
        `| sed -n 's/.*"data":{"id":"\\([^"]*\\)".*/\\1/p')`,
      ],
      [`curl -w '\\n' "${address}/sessions/chat?sessionId=$SESSION"`, headers, `-d ${quoted(message)}`],
    ],
  };
}

/** Eliza if she is there; `null` if there is nobody, or no way to know. */
async function someChatbotAndClient(parley: ParleyClient) {
  try {
    const [chatbots, [client]] = await Promise.all([parley.listChatbots(), parley.listClients()]);
    const chatbot = chatbots.find(({ endpointId }) => endpointId === ELIZA.endpointId) ?? chatbots[0];
    return chatbot && client ? { chatbot, client } : null;
  } catch {
    return null;
  }
}

/** A text as one word of a shell. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
