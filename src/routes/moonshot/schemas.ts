/** The schema of the query of the connectors. Schemas of one resource are in that resource's folder. */
import * as z from "zod/mini";

export const ListConnectors = z.strictObject({ include: z.optional(z.enum(["fields"])) });
