/** The id of a chat: the id of its endpoint and the time stamp of the session, with underscores only. */
export const chatIdOf = (endpointId: string, stamp: string): string => `${endpointId}_${stamp}`.replaceAll("-", "_");
