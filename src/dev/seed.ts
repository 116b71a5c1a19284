import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NewChatbot, NewEndpoint, ParleyClient } from "../client/parley-client.ts";

/** Endpoints that need no provider and no key. */
const ENDPOINTS = [
  { name: "eliza", connector_type: "eliza-connector" },
  { name: "echo", connector_type: "echo-connector" },
] as const;

/** A listener in the manner of Weizenbaum's DOCTOR. */
export const ELIZA: NewChatbot = {
  name: "Eliza",
  endpointId: "eliza",
  description: "A patient listener, who needs no model",
  greeting: "How do you do. What is on your mind?",
};

const ECHO: NewChatbot = {
  name: "Echo",
  endpointId: "echo",
  description: "Says back what it hears",
  greeting: "Say something, and I will say it back.",
};

/**
 * Fills an empty database, so that the first call works with no key of any provider. May be interrupted at any point: the
 * next start does what is left.
 */
export async function seedOnFirstStart(parley: ParleyClient, stateFolder: string): Promise<void> {
  const underWay = join(stateFolder, "first-start-under-way");
  if (!existsSync(underWay) && !(await isEmpty(parley))) return;
  writeFileSync(underWay, "Gone once the database holds its first endpoints, chatbots and client.\n");
  for (const endpoint of ENDPOINTS) await createIfMissing(parley, endpoint);
  // Lists show the newest first: Eliza comes last here to come first there.
  for (const chatbot of [ECHO, ELIZA]) await chatbotOn(parley, chatbot);
  if ((await parley.listClients()).length === 0) await parley.createClient({ name: "Ada" });
  rmSync(underWay);
}

/** @returns whether it was created, and not there already */
export async function createIfMissing(parley: ParleyClient, endpoint: NewEndpoint): Promise<boolean> {
  if ((await parley.listEndpoints()).some(({ name }) => name === endpoint.name)) return false;
  await parley.createEndpoint(endpoint);
  return true;
}

/** The chatbot that stands on that one's endpoint; it is created if there is none. */
export async function chatbotOn(
  parley: ParleyClient,
  wanted: NewChatbot,
): Promise<{ id: string; name: string; created: boolean }> {
  const there = (await parley.listChatbots()).find(({ endpointId }) => endpointId === wanted.endpointId);
  return there ? { ...there, created: false } : { ...(await parley.createChatbot(wanted)), created: true };
}

async function isEmpty(parley: ParleyClient): Promise<boolean> {
  return (await parley.listEndpoints()).length === 0 && (await parley.listChatbots()).length === 0;
}
