/** Schemas of the Session API's envelope, for the OpenAPI document. The functions that make the bodies are in `envelope.ts`. */
import * as z from "zod";

export const PaginatorInfo = z
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

/** What is wrong with one field. */
export const Detail = z.object({
  path: z.string(),
  message: z.string(),
  id: z.string().optional().meta({ description: "With code `taken`: the id of what has the value already" }),
});

export const SessionApiFailure = z
  .object({
    success: z.literal(false),
    message: z.string(),
    error: z.object({
      code: z.string(),
      details: z.array(Detail).optional(),
      lastSeq: z.number().int().optional().meta({ description: "With code `session_moved_on`" }),
      requestId: z.string(),
    }),
  })
  .meta({ id: "Failure", description: "A failed call to the Session API" });
