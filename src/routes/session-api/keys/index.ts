import { Hono } from "hono";
import * as z from "zod";
import { evictCachedKey, generateApiKey } from "../../../auth/api-keys.ts";
import { sha256Hex } from "../../../crypto/secrets.ts";
import { asObjectId, newObjectId } from "../../../core/id.ts";
import type { ApiKey } from "../../../core/api-key.ts";
import { CALLER_ROLES } from "../../../core/caller.ts";
import { isoTime, now } from "../../../core/time.ts";
import { closeRevokedSubscriptions } from "../../../live/close-revoked-subscriptions.ts";
import { database } from "../../../store/database.ts";
import { clientStore } from "../../../store/chatbots-and-clients.ts";
import { createKey, deleteKey, listKeys } from "../../../store/api-keys.ts";
import { audit } from "../../http/audit.ts";
import { requireRole } from "../../http/authenticate.ts";
import type { AppEnv } from "../../http/context.ts";
import { removalSchema, itemBody, mutationSchema, itemSchema, mutationBody, present } from "../envelope.ts";
import { timeOutput, name, objectId, time } from "../../http/fields.ts";
import { describe } from "../../openapi/describe.ts";
import { respondWithProblem } from "../../http/respond-with-problem.ts";
import { body } from "../../http/validate.ts";

const CreateKey = z
  .object({
    name,
    role: z.enum(CALLER_ROLES),
    clientId: objectId
      .optional()
      .meta({ description: "Whose sessions the key is for: with role `client`, and only then" }),
    expiresAt: time.refine((at) => at > now(), "must be still to come").optional(),
  })
  .refine(({ role, clientId }) => (role === "client") === (clientId !== undefined), {
    path: ["clientId"],
    message: "goes with role client, and must be there then",
  });

const Key = z
  .object({
    id: objectId,
    name: z.string(),
    role: z.enum(CALLER_ROLES),
    clientId: objectId.optional(),
    expiresAt: timeOutput.optional(),
    lastUsedAt: timeOutput.optional().meta({ description: "To within ten minutes" }),
    createdAt: timeOutput,
  })
  .meta({ id: "Key" });

const NewKey = Key.extend({ key: z.string().meta({ description: "The token itself, shown this once" }) }).meta({
  id: "NewKey",
});

const presentKey = (key: ApiKey): z.output<typeof Key> => ({
  id: key.id,
  name: key.name,
  role: key.role,
  ...present({
    clientId: key.clientId,
    expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt),
    lastUsedAt: key.lastUsedAt === null ? null : isoTime(key.lastUsedAt),
  }),
  createdAt: isoTime(key.createdAt),
});

/** `/keys`: API keys, for admins. */
export const keys = new Hono<AppEnv>({ strict: false })
  .post(
    "/",
    describe({
      id: "createKey",
      tag: "Keys",
      summary: "Create an API key",
      answer: { status: 201, description: "Key created", schema: mutationSchema(NewKey) },
      refusals: [403, 404],
      example: { name: "web backend", role: "service" },
    }),
    body(CreateKey),
    requireRole("admin"),
    async (c) => {
      const { expiresAt = null, clientId = null, ...input } = c.req.valid("json");
      const db = database(c.env.DB);
      if (clientId !== null && !(await clientStore.find(db, clientId)))
        return respondWithProblem(c, { reason: "not-found", resource: "client", id: null });
      const at = now();
      const token = generateApiKey();
      const key = { id: newObjectId(at), ...input, clientId, expiresAt, lastUsedAt: null, createdAt: at };
      await createKey(db, key, await sha256Hex(token));
      audit(c, "key-created", { keyId: key.id, role: key.role, clientId });
      c.header("cache-control", "no-store");
      return c.json(mutationBody({ ...presentKey(key), key: token }, "Key created successfully"), 201);
    },
  )
  .get(
    "/",
    describe({
      id: "listKeys",
      tag: "Keys",
      summary: "List API keys, newest first",
      answer: { status: 200, description: "All keys, without their tokens", schema: itemSchema(z.array(Key)) },
      refusals: [403],
    }),
    requireRole("admin"),
    async (c) => c.json(itemBody((await listKeys(database(c.env.DB))).map(presentKey))),
  )
  .delete(
    "/:id",
    describe({
      id: "deleteKey",
      tag: "Keys",
      summary: "Revoke an API key",
      answer: { status: 200, description: "Key revoked", schema: removalSchema },
      refusals: [403, 404],
    }),
    requireRole("admin"),
    async (c) => {
      const db = database(c.env.DB);
      const id = asObjectId(c.req.param("id")) ?? "";
      const revoked = await deleteKey(db, id);
      if (!revoked) return respondWithProblem(c, { reason: "not-found", resource: "key", id: null });
      evictCachedKey(revoked.hash);
      audit(c, "key-revoked", { keyId: id });
      c.executionCtx.waitUntil(closeRevokedSubscriptions(c.env, db, id));
      return c.json({ success: true as const, message: "Key deleted successfully" });
    },
  );
