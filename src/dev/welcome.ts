/**
 * The text that `npm start` prints when the server is ready: its address, the admin key, the console, and a first call to paste.
 *
 * Lists chatbots and clients over HTTP, so that the call has real ids.
 */
import { styleText } from "node:util";
import type { ParleyClient } from "../client/index.ts";
import { LOCAL_SECRETS } from "../core/local-start.ts";
import type { LocalServer } from "./server.ts";
import { ELIZA } from "./seed.ts";
import { DEFAULT_ADDRESS, localAdminKey } from "./settings.ts";

export async function welcomeText(server: LocalServer): Promise<string> {
  const label = (text: string) => styleText("dim", text.padEnd(12));
  const { invitation, commands } = await firstCall(server);
  return [
    "",
    `  ${styleText(["bold", "green"], "Parley is ready")} at ${styleText("bold", server.address)}`,
    "",
    `  ${label("Admin key")}${server.key}`,
    `  ${label("Console")}${consoleAddress(server)}`,
    `  ${label("Docs")}${server.address}/docs`,
    `  ${label("Demo")}${demoCommand(server)}`,
    "",
    `  ${invitation} Paste this into another terminal:`,
    "",
    // Without indentation and comments, so that it can be pasted into any shell.
    ...commands.flatMap((lines) => [lines.join(" \\\n  "), ""]),
  ].join("\n");
}

/** The console knows the key that everybody knows. Any other is behind the `#`, which browsers do not send. */
const consoleAddress = ({ address, key }: LocalServer): string =>
  `${address}/console${key === LOCAL_SECRETS.ADMIN_KEY ? "" : `#token=${encodeURIComponent(key)}`}`;

/** The command of the demo, with the variables that it needs to find this server. */
function demoCommand({ address, key }: LocalServer): string {
  const variables = [
    ...(address === DEFAULT_ADDRESS ? [] : [`PARLEY_URL=${address}`]),
    ...(key === localAdminKey() ? [] : [`PARLEY_KEY=${shellQuote(key)}`]),
  ];
  return [...variables, "npm run demo"].join(" ");
}

/** @returns a sentence, and shell commands as lists of lines */
async function firstCall({ parley, address, key }: LocalServer): Promise<{ invitation: string; commands: string[][] }> {
  const authorization = `-H ${shellQuote(`Authorization: Bearer ${key}`)}`;
  const pair = await findChatbotAndClient(parley);
  if (!pair)
    return { invitation: "Make a first call.", commands: [[`curl -w '\\n' ${address}/chatbots`, authorization]] };
  const headers = `${authorization} -H 'Content-Type: application/json'`;
  const session = JSON.stringify({ chatbotId: pair.chatbot.id, clientId: pair.client.id });
  const message = JSON.stringify({ content: "Hello, I feel a little nervous today." });
  return {
    invitation: `Talk to ${pair.chatbot.name}.`,
    commands: [
      [
        `SESSION=$(curl -sS ${address}/sessions`,
        headers,
        `-d ${shellQuote(session)}`,
        `| sed -n 's/.*"data":{"id":"\\([^"]*\\)".*/\\1/p')`,
      ],
      [`curl -w '\\n' "${address}/sessions/chat?sessionId=$SESSION"`, headers, `-d ${shellQuote(message)}`],
    ],
  };
}

/** Prefers Eliza. @returns `null` if there are none, or if the lists cannot be read */
async function findChatbotAndClient(parley: ParleyClient) {
  try {
    const page = { limit: 100 };
    const [{ results: chatbots }, clients] = await Promise.all([parley.chatbots.list(page), parley.clients.list(page)]);
    const [client] = clients.results;
    const chatbot = chatbots.find(({ endpointId }) => endpointId === ELIZA.endpointId) ?? chatbots[0];
    return chatbot && client ? { chatbot, client } : null;
  } catch {
    return null;
  }
}

const shellQuote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;
