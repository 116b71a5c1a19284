/** What to check after a reply that failed, by the code of its error. */
const ADVICE: Readonly<Record<string, string>> = {
  connection_lost: "Check the address of the endpoint, and that its server runs.",
};

/** @returns the message of an error, with what to check */
export const withAdvice = ({ code, message }: { code: string; message: string }): string =>
  [message, ADVICE[code]].filter(Boolean).join(" ");
