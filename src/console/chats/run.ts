/** Makes a call that changes the conversation. The page shows why it failed; what it changed comes over the connection. */
export type Run = (call: Promise<unknown>) => void;
