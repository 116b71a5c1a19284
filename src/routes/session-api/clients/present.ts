import type * as z from "zod";
import type { Client } from "../../../core/client.ts";
import { isoTime } from "../../../core/time.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentClient = (client: Client): z.output<typeof schemas.Client> => ({
  id: client.id,
  name: client.name,
  ...omitNulls({ email: client.email, externalId: client.externalId }),
  ...omitNulls({
    metadata: client.metadata === null ? null : (JSON.parse(client.metadata) as Record<string, unknown>),
  }),
  createdAt: isoTime(client.createdAt),
  updatedAt: isoTime(client.updatedAt),
});
