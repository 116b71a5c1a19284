import type * as z from "zod";
import type { ApiKey } from "../../../core/api-key.ts";
import { isoTime } from "../../../core/time.ts";
import { omitNulls } from "../envelope.ts";
import type * as schemas from "./response-schemas.ts";

export const presentKey = (key: ApiKey): z.output<typeof schemas.Key> => ({
  id: key.id,
  name: key.name,
  role: key.role,
  ...omitNulls({
    clientId: key.clientId,
    expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt),
    lastUsedAt: key.lastUsedAt === null ? null : isoTime(key.lastUsedAt),
  }),
  createdAt: isoTime(key.createdAt),
});
