/** The ids of messages: that of its turn for a reply, since it is known before the reply; of others, their place. Pure. */
import { asObjectId } from "../../core/id.ts";
import type { Message } from "../../core/message.ts";

const PLACE = "seq-";

export const idOf = ({ seq, turnId, reply }: Message): string =>
  reply !== null && turnId !== null ? turnId : PLACE + seq;

/** The place that an id says; nothing for one that a client has made. */
export function placeIn(id: string): { seq?: number } {
  const seq = /^seq-(\d{1,9})$/.exec(id)?.[1];
  return seq === undefined ? {} : { seq: Number(seq) };
}

/** The turn that the id of a reply says. */
export function turnIn(id: string): { turnId?: string } {
  const turnId = asObjectId(id);
  return turnId === null ? {} : { turnId };
}
