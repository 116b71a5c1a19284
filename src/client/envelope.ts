/** The envelope of the Session API, as the client opens it. */
import type { Call, CallOptions, Connection } from "./connection.ts";
import type { PaginatorInfo } from "./types.ts";

/** A page of a list. */
export interface Page<T> {
  results: T[];
  paginatorInfo: PaginatorInfo;
}

export async function itemOf<T>(connection: Connection, call: Call): Promise<T> {
  return (await connection.call<{ data: T }>(call)).data;
}

export const pageOf = <T>(
  connection: Connection,
  path: string,
  query: object | undefined,
  options: CallOptions | undefined,
): Promise<Page<T>> => itemOf(connection, { method: "GET", path, query: { ...query }, ...options });
