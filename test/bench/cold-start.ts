/**
 * Part `cold-start`: what a new isolate costs: the CPU time of the runtime until its first answer, and the first chats, which run
 * code that is not compiled yet.
 */
import { HttpClient } from "./http-client.ts";
import { MESSAGE_TEXT, createEndpoint, createSessionMaker, parleyClient, sendChat } from "./parley.ts";
import type { Finding } from "./report.ts";
import { asRatio, inMs, printTable } from "./report.ts";
import type { Built, Servers } from "./servers.ts";
import { startServers } from "./servers.ts";
import { median } from "./statistics.ts";
import type { Server } from "./wrangler.ts";

const ROUNDS = 5;
const FIRST_CHATS = 20;

/** CPU time in milliseconds. */
interface Start {
  firstAnswer: number;
  /** Of each of the first chats. */
  chat: number;
}

export async function coldStart(built: Built): Promise<Finding[]> {
  const starts: Record<"bare" | "parley", Start[]> = { bare: [], parley: [] };
  for (let round = 0; round < ROUNDS; round++) {
    const servers = await startServers(built, `cold-${round}`);
    starts.bare.push(await measureStart(servers.bare, () => openBare(servers)));
    starts.parley.push(await measureStart(servers.parley, () => openParley(servers)));
    await servers.stop();
  }
  const value = (name: keyof typeof starts, of: keyof Start) => median(starts[name].map((start) => start[of]));
  const row = (title: string, of: keyof Start) => {
    const [bare, parley] = [value("bare", of), value("parley", of)];
    return [title, inMs(bare), inMs(parley), asRatio(parley / bare)];
  };
  printTable("A new isolate, CPU time", [
    ["", "bare Worker ms", "Parley ms", "to bare"],
    row("the runtime until its first answer", "firstAnswer"),
    row(`each of the first ${FIRST_CHATS} chats`, "chat"),
  ]);
  return [
    {
      measure: "cold start, CPU until the first answer",
      value: value("parley", "firstAnswer") / value("bare", "firstAnswer"),
      unit: "x",
      target: { atMost: 1.8 },
    },
  ];
}

/** @param open prepares a chat, and returns a function that runs one */
async function measureStart(server: Server, open: () => Promise<() => Promise<unknown>>): Promise<Start> {
  await fetch(`${server.origin}/healthz`);
  const firstAnswer = server.cpuMs();
  const chat = await open();
  const before = server.cpuMs();
  for (let nth = 0; nth < FIRST_CHATS; nth++) await chat();
  return { firstAnswer, chat: (server.cpuMs() - before) / FIRST_CHATS };
}

const openBare = async ({ bare, upstream }: Servers) => {
  const client = new HttpClient(bare.origin);
  const body = { content: MESSAGE_TEXT, upstream: upstream.baseUri(0) };
  return () => client.post("/chat?conversation=cold", body);
};

async function openParley({ parley, upstream }: Servers) {
  const client = parleyClient(parley.origin);
  const createSession = await createSessionMaker(client, await createEndpoint(client, "cold", upstream.baseUri(0)));
  const session = await createSession();
  return () => sendChat(client, session);
}
