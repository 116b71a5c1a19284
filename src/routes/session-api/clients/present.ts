import type * as z from "zod";
import { isoTime } from "../../../core/time.ts";
import type { ListedClient } from "../../../store/fit-list.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentClient = (client: ListedClient): z.output<typeof schemas.Client> => ({
  id: client.id,
  name: client.name,
  ...omitNulls({ email: client.email, externalId: client.externalId }),
  ...omitNulls({
    metadata: client.metadata === null ? null : (JSON.parse(client.metadata) as Record<string, unknown>),
  }),
  createdAt: isoTime(client.createdAt),
  updatedAt: isoTime(client.updatedAt),
  ...(client.isShortened ? { truncated: true as const } : {}),
});
