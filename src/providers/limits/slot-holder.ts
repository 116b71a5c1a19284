/** Who holds slots, as the ids of its calls have it, so that they can be released when it stopped. Pure. */

/** The object whose calls hold slots, and the instance of it that makes them: each start of an object is another one. */
export interface SlotHolder {
  object: string;
  instance: string;
}

/** The id of a call. */
export const callIdOf = (holder: SlotHolder | undefined, id: string): string =>
  holder ? `${holder.object}:${holder.instance}:${id}` : id;

/** Whether the call was made by the object before it started again. */
export const isOfEarlierInstance = (callId: string, { object, instance }: SlotHolder): boolean =>
  callId.startsWith(`${object}:`) && !callId.startsWith(`${object}:${instance}:`);
