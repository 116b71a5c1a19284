/**
 * Keys of messages in D1: the number of the session and the `seq` in one integer, so that the log of a session is one range
 * of the table, in order. SQL and numbers only; the object's own log has `seq` as its key. Pure.
 */

/** A log ends at 100,000 messages, and a turn adds 64 replies at most. Numbers of sessions have 33 bits up to 2^53. */
const SEQ_BITS = 20;

/** The largest `seq` that a key can have. */
export const MAX_SEQ = 2 ** SEQ_BITS - 1;

/** SQL for the key of a message. @param number SQL for the number of its session @param seq SQL for its `seq` */
export const keyOf = (number: string, seq: string): string => `(${number} << ${SEQ_BITS} | ${seq})`;

/** SQL for the `seq` of a key. */
export const seqOf = (key: string): string => `(${key} & ${MAX_SEQ})`;

/** SQL for the number of the session of a key. */
export const sessionNumberOf = (key: string): string => `(${key} >> ${SEQ_BITS})`;

/**
 * SQL condition for the messages of a session after a `seq`. No message has the `seq` 0, so that it is the start of a log.
 *
 * @param number SQL for the number of the session
 * @param after SQL for the `seq`, which must not be larger than {@link MAX_SEQ}
 */
export const isInLog = (key: string, number: string, after = "0"): string =>
  `${key} > ${keyOf(number, after)} AND ${key} <= ${keyOf(number, String(MAX_SEQ))}`;

/** SQL for the number of a session. @param id SQL for its id */
export const numberOf = (id: string): string => `(SELECT number FROM sessions WHERE id = ${id})`;
