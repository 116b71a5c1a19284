/**
 * The handlers of `/keys`: each gets input that has been validated and answers in the Session API's envelope. A token
 * is in one answer only; D1 stores its hash. Effects: queries to D1, audit lines, RPC to close the subscriptions of a
 * revoked key.
 */
import type { Context } from "hono";
import type * as z from "zod";
import { evictCachedKeys, generateApiKey } from "../../../auth/api-keys.ts";
import { newObjectId } from "../../../core/id.ts";
import { now } from "../../../core/time.ts";
import { sha256Hex } from "../../../crypto/secrets.ts";
import { createKey as saveKey, deleteKey as removeKey, listKeys as readKeys } from "../../../store/api-keys.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { database } from "../../../store/database.ts";
import { audit, auditIfLost } from "../../http/audit.ts";
import type { AppEnv } from "../../http/context.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { closeSubscriptions } from "../close-subscriptions.ts";
import { itemBody, mutationBody, removalBody } from "../envelope.ts";
import { defaultExpiry } from "./service-keys.ts";
import { presentKey } from "./present.ts";
import type * as schemas from "./schemas.ts";

type AppContext = Context<AppEnv>;

export const KEY_NOT_FOUND = { reason: "not-found", resource: "key", id: null } as const;

export async function createKey(c: AppContext, input: z.output<typeof schemas.CreateKey>) {
  const { name, role, clientId = null } = input;
  const db = database(c.env.DB);
  if (clientId !== null && !(await clientStore.find(db, clientId)))
    return respondWithProblem(c, { reason: "not-found", resource: "client", id: null });
  const at = now();
  const expiresAt = input.expiresAt ?? defaultExpiry(c.var.caller, at);
  const token = generateApiKey();
  const key = { id: newObjectId(at), name, role, clientId, expiresAt, lastUsedAt: null, createdAt: at };
  await saveKey(db, key, await sha256Hex(token));
  audit(c, "key-created", { keyId: key.id, role: key.role, clientId });
  return c.json(mutationBody({ ...presentKey(key), key: token }, "Key created successfully"), 201);
}

export async function listKeys(c: AppContext, page: z.output<typeof schemas.ListKeys>) {
  return c.json(itemBody((await readKeys(database(c.env.DB), page)).map(presentKey)));
}

export async function deleteKey(c: AppContext, id: string) {
  const revoked = auditIfLost(c, "key-revoked", { keyId: id }, removeKey(database(c.env.DB), id));
  const isRevoked = await revoked.finally(() => {
    evictCachedKeys((key) => key.id === id, now());
    // For a key that does not exist too: an earlier call may have revoked it and got no answer.
    closeSubscriptions(c, [id]);
  });
  if (!isRevoked) return respondWithProblem(c, KEY_NOT_FOUND);
  audit(c, "key-revoked", { keyId: id });
  return c.json(removalBody("Key deleted successfully"));
}
