/** Which texts of a form may hold a secret, and are not kept in the browser. They may not be complete yet. Pure. */

const NAME_OF_SECRET = /token|key|auth|bearer|pwd|pass|cookie|secret|credential/i;

/** `max_tokens` and the like, which are numbers. */
const NUMBER_OF_TOKENS = /\b(?:max|min|budget)[-_a-z]*tokens\b/gi;

/** Whether params have a name for a secret. */
export const mayHoldSecret = (params: string): boolean => NAME_OF_SECRET.test(params.replaceAll(NUMBER_OF_TOKENS, ""));

/** A host, a port and a path. Before its `@`, a user with a password looks like a host with a port that is no number. */
const PLAIN_ADDRESS =
  /^(?:https?:\/{0,2})?(?!https?:)(?:(?:[^\s\\/:@?#[\]]+|\[[\d:a-f.]*\]?)(?::\d{0,5})?(?:\/[^\s\\@?#]*)?)?$/i;

/** Whether an address has no user, query or fragment, any of which may hold a secret. */
export const isPlainAddress = (address: string): boolean => PLAIN_ADDRESS.test(address);
