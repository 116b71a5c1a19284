/**
 * The newest messages of several archived sessions, for a list: the archives of all are read at once. Effects: R2.
 */
import { archivedSeq } from "../../core/log-archive.ts";
import type { LogArchive } from "../../core/log-archive.ts";
import { rootCause } from "../../core/failure.ts";
import type { Message } from "../../core/message.ts";
import { isOnPath } from "../../core/message-tree.ts";
import type { ActivePath } from "../../core/message-tree.ts";
import { charactersOfMessage } from "../message-sizes.ts";
import type { LogStore } from "./bucket.ts";
import { chunksBackwards } from "./read-archive.ts";

/** How much a list shows of each session. */
export interface ListLimits {
  messages: number;
  characters: number;
}

/** A session of a list. */
interface Listed {
  number: number;
  id: string;
  lastSeq: number;
  archive: LogArchive | null;
  activePath: ActivePath;
}

/** The archived messages of sessions by their numbers, and of which part of their logs these are. */
export type ArchivedMessages = Map<number, { lastSeq: number; messages: Message[] }>;

/**
 * Reads the newest archived messages of each session that has some among its newest. A list does without those that
 * cannot be read: one lost object must not close a whole list.
 */
export async function newestArchived(
  { archive: bucket }: LogStore,
  listed: Listed[],
  limits: ListLimits,
): Promise<ArchivedMessages> {
  const reads = listed.flatMap(async ({ number, id, lastSeq, archive, activePath }) => {
    // What is shown of a session with variants can be far from its end.
    const after = activePath ? 0 : lastSeq - limits.messages;
    if (!archive || archive.lastSeq <= after) return [];
    const messages = await newestOf(chunksBackwards(bucket, { id, archive }), { after, activePath }, limits).catch(
      (error: unknown) => {
        console.error({ event: "archive-not-read", sessionId: id, error: rootCause(error) });
        return [];
      },
    );
    return [[number, { lastSeq: archive.lastSeq, messages }] as const];
  });
  return new Map((await Promise.all(reads)).flat());
}

async function newestOf(
  chunks: AsyncIterable<Message[]>,
  { after, activePath }: Pick<Listed, "activePath"> & { after: number },
  limits: ListLimits,
): Promise<Message[]> {
  let found: Message[] = [];
  for await (const chunk of chunks) {
    found = [...chunk.filter(({ seq }) => seq > after && isOnPath(activePath, seq)), ...found];
    const total = found.reduce((sum, message) => sum + charactersOfMessage(message, "messages"), 0);
    const isFull = total > limits.characters || (activePath !== null && found.length >= limits.messages);
    if ((chunk[0]?.seq ?? 0) <= after + 1 || isFull) break;
  }
  // A list has many sessions: what it does not show must not wait in memory for the others.
  return newestWithin(found, limits);
}

/**
 * Adds archived messages to those of D1, and keeps as many as a list shows.
 *
 * @param stored the newest messages of each session in D1, oldest first
 * @param current where the archive has the logs of sessions, as of the moment when these messages were read
 */
export async function withArchived(
  store: LogStore,
  listed: Listed[],
  stored: Map<number, Message[]>,
  archived: ArchivedMessages,
  current: { id: string; archive: LogArchive | null }[],
  limits: ListLimits,
): Promise<Map<number, Message[]>> {
  const moved = current.flatMap(({ id, archive }) => {
    const session = listed.find((one) => one.id === id);
    return session && archivedSeq({ archive }) > archivedSeq(session) ? [{ ...session, archive }] : [];
  });
  const all = new Map([...archived, ...(moved.length > 0 ? await newestArchived(store, moved, limits) : [])]);
  const merged = new Map(stored);
  for (const [number, { lastSeq, messages }] of all) {
    const newer = (stored.get(number) ?? []).filter(({ seq }) => seq > lastSeq);
    merged.set(number, newestWithin([...messages, ...newer], limits));
  }
  return merged;
}

function newestWithin(messages: Message[], { messages: most, characters }: ListLimits): Message[] {
  let total = 0;
  const tooOld = messages.findLastIndex((message) => (total += charactersOfMessage(message, "messages")) > characters);
  return messages.slice(Math.max(tooOld + 1, messages.length - most));
}
