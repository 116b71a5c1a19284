/**
 * The Session API's envelope, as functions that make the bodies: `mutation` for changes, `item` for one resource, `page`
 * for lists, `removal` for deletes. Their schemas are in `envelope-schemas.ts`, and problems in `dialect.ts`.
 */
import type { Page, PageRequest } from "../../core/page.ts";
import { paginatorInfo } from "../../core/page.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";

export const mutationBody = <T>(data: T, message: string) => ({ success: true as const, message, data });

export const removalBody = (message: string) => ({ success: true as const, message });

export const itemBody = <T>(data: T) => ({ success: true as const, data });

export const pageBody = <T>(page: Page<T>, request: PageRequest) =>
  itemBody({ results: page.results, paginatorInfo: paginatorInfo(page, request) });

/** The new `updatedAt` of a resource. An update without changes leaves it as it is. */
export const updatedAtAfter = (changes: object, resource: { updatedAt: EpochMs }): EpochMs =>
  Object.keys(changes).length === 0 ? resource.updatedAt : now();

/** An object without its keys whose value is `null`: the Session API leaves out absent fields. */
export function omitNulls<T extends object>(
  fields: T,
): { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: Exclude<T[K], null>;
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as ReturnType<
    typeof omitNulls<T>
  >;
}
