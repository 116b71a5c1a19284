import type * as z from "zod";
import type { Client } from "../../../core/client.ts";
import { isoTime } from "../../../core/time.ts";
import { present } from "../envelope.ts";
import type * as schemas from "./schemas.ts";

export const presentClient = (client: Client): z.output<typeof schemas.Client> => ({
  id: client.id,
  name: client.name,
  ...present({ email: client.email, externalId: client.externalId }),
  ...present({ metadata: client.metadata === null ? null : (JSON.parse(client.metadata) as Record<string, unknown>) }),
  createdAt: isoTime(client.createdAt),
  updatedAt: isoTime(client.updatedAt),
});
