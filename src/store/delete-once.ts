/**
 * Deletes a record once: a deletion whose answer was lost is repeated, and what the first attempt did counts. The
 * counterpart of `insert-once.ts`. Effects: those of the given functions.
 */
import { retryOnce } from "../core/transient-error.ts";

/**
 * @param remove deletes the record, and returns whether it did
 * @param isGone whether there is no such record. Asked only after a second attempt that deleted nothing: then the first
 *   has deleted it, or it never existed.
 * @returns whether the record was deleted
 */
export const deleteOnce = (remove: () => Promise<boolean>, isGone: () => Promise<boolean>): Promise<boolean> =>
  retryOnce(async (isSecond) => (await remove()) || (isSecond && (await isGone())));
