/**
 * The Session API's envelope, as schemas for the OpenAPI document and as functions that make the bodies: `mutation` for
 * changes, `item` for one resource, `page` for lists, `removal` for deletes. Problems have a form of their own, in
 * `dialect.ts`.
 */
import * as z from "zod";
import type { Page, PageRequest } from "../../core/page.ts";
import { paginatorInfo } from "../../core/page.ts";
import type { EpochMs } from "../../core/time.ts";
import { now } from "../../core/time.ts";

const PaginatorInfo = z
  .object({
    count: z.number().int(),
    currentPage: z.number().int(),
    hasMorePages: z.boolean(),
    lastPage: z.number().int(),
    limit: z.number().int(),
    perPage: z.number().int(),
    total: z.number().int(),
  })
  .meta({ id: "PaginatorInfo" });

export const mutationSchema = <S extends z.ZodType>(data: S) =>
  z.object({ success: z.literal(true), message: z.string(), data });

export const removalSchema = z.object({ success: z.literal(true), message: z.string() }).meta({ id: "Removal" });

export const itemSchema = <S extends z.ZodType>(data: S) => z.object({ success: z.literal(true), data });

export const pageSchema = <S extends z.ZodType>(result: S) =>
  itemSchema(z.object({ results: z.array(result), paginatorInfo: PaginatorInfo }));

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
