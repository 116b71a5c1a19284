/**
 * The first endpoints, chatbots and client of a local database, so that the first call works without a provider's key. Also
 * the steps of the demo create through here what they need.
 *
 * Calls Parley over HTTP, and writes a marker file into the state folder.
 */
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { NewChatbot, NewEndpoint, ParleyClient } from "../client/parley-client.ts";

const ENDPOINTS = [
  // Slow enough to see that it streams.
  { name: "eliza", connector_type: "eliza-connector", params: { tokens_per_second: 16 } },
  { name: "echo", connector_type: "echo-connector" },
] as const;

export const ELIZA: NewChatbot = {
  name: "Eliza",
  endpointId: "eliza",
  description: "A patient listener that needs no model",
  greeting: "How do you do. What is on your mind?",
};

const ECHO: NewChatbot = {
  name: "Echo",
  endpointId: "echo",
  description: "Repeats what you write",
  greeting: "Write something, and I will repeat it.",
};

/** Fills an empty database. It may be interrupted at any point: the next start creates what is missing. */
export async function seedOnFirstStart(parley: ParleyClient, stateFolder: string): Promise<void> {
  const marker = join(stateFolder, "first-start-under-way");
  if (!existsSync(marker) && !(await isEmpty(parley))) return;
  writeFileSync(marker, "Parley deletes this file when the database has its first endpoints, chatbots and client.\n");
  for (const endpoint of ENDPOINTS) await createIfMissing(parley, endpoint);
  // Lists show the newest first, so Eliza comes first in them.
  for (const chatbot of [ECHO, ELIZA]) await findOrCreateChatbot(parley, chatbot);
  if ((await parley.listClients()).length === 0) await parley.createClient({ name: "Ada" });
  rmSync(marker);
}

/** @returns whether the endpoint was created now */
export async function createIfMissing(parley: ParleyClient, endpoint: NewEndpoint): Promise<boolean> {
  if ((await parley.listEndpoints()).some(({ name }) => name === endpoint.name)) return false;
  await parley.createEndpoint(endpoint);
  return true;
}

/** Finds the chatbot of an endpoint, or creates it. */
export async function findOrCreateChatbot(
  parley: ParleyClient,
  wanted: NewChatbot,
): Promise<{ id: string; name: string; created: boolean }> {
  const found = (await parley.listChatbots()).find(({ endpointId }) => endpointId === wanted.endpointId);
  return found ? { ...found, created: false } : { ...(await parley.createChatbot(wanted)), created: true };
}

async function isEmpty(parley: ParleyClient): Promise<boolean> {
  return (await parley.listEndpoints()).length === 0 && (await parley.listChatbots()).length === 0;
}
