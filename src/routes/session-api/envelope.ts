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

/** The Session API's answer to a change. */
export const mutationSchema = <S extends z.ZodType>(data: S) =>
  z.object({ success: z.literal(true), message: z.string(), data });

/** The Session API's answer to a removal. */
export const removalSchema = z.object({ success: z.literal(true), message: z.string() }).meta({ id: "Removed" });

/** The Session API's answer to a question. */
export const itemSchema = <S extends z.ZodType>(data: S) => z.object({ success: z.literal(true), data });

/** The Session API's answer to a question for a list. */
export const pageSchema = <S extends z.ZodType>(result: S) =>
  itemSchema(z.object({ results: z.array(result), paginatorInfo: PaginatorInfo }));

export const mutationBody = <T>(data: T, message: string) => ({ success: true as const, message, data });

export const itemBody = <T>(data: T) => ({ success: true as const, data });

export const pageBody = <T>(page: Page<T>, request: PageRequest) =>
  itemBody({ results: page.results, paginatorInfo: paginatorInfo(page, request) });

/** When a thing was last changed, after changes to it that may be none. */
export const updatedAtAfter = (thing: { updatedAt: EpochMs }, changes: object): EpochMs =>
  Object.keys(changes).length === 0 ? thing.updatedAt : now();

/** An object without the keys whose value is `null`: the Session API leaves out what is not there. */
export function omitNulls<T extends object>(
  fields: T,
): { [K in keyof T as null extends T[K] ? never : K]: T[K] } & {
  [K in keyof T as null extends T[K] ? K : never]?: Exclude<T[K], null>;
} {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null)) as ReturnType<
    typeof omitNulls<T>
  >;
}
