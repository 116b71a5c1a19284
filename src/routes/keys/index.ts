import { Hono } from "hono";
import * as z from "zod";
import { forgetKey, hashToken, newKey } from "../../access/identify.ts";
import { asObjectId, newObjectId } from "../../core/id.ts";
import type { ApiKey } from "../../core/key.ts";
import { isoTime, now } from "../../core/time.ts";
import { database } from "../../store/database.ts";
import { createKey, deleteKey, listKeys } from "../../store/keys.ts";
import { permit } from "../authenticate.ts";
import type { AppEnv } from "../context.ts";
import { Removed, asFound, changed, found, inEnvelope, present } from "../envelope.ts";
import { answeredTime, name, objectId, time } from "../fields.ts";
import { describe } from "../openapi/describe.ts";
import { refuse } from "../refuse.ts";
import { body } from "../validate.ts";

const role = z.enum(["admin", "service"]);

const CreateKey = z.object({ name, role, expiresAt: time.optional() });

const Key = z
  .object({
    id: objectId,
    name: z.string(),
    role: z.enum(["admin", "service", "client"]),
    clientId: objectId.optional(),
    expiresAt: answeredTime.optional(),
    createdAt: answeredTime,
  })
  .meta({ id: "Key" });

const NewKey = Key.extend({ key: z.string().meta({ description: "The token itself, shown this once" }) }).meta({
  id: "NewKey",
});

const presentKey = (key: ApiKey): z.output<typeof Key> => ({
  id: key.id,
  name: key.name,
  role: key.role,
  ...present({ clientId: key.clientId, expiresAt: key.expiresAt === null ? null : isoTime(key.expiresAt) }),
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
      answer: { status: 201, description: "Key created", schema: changed(NewKey) },
      refusals: [403],
      example: { name: "web backend", role: "service" },
    }),
    body(CreateKey),
    permit("admin"),
    async (c) => {
      const { expiresAt = null, ...input } = c.req.valid("json");
      const at = now();
      const token = newKey();
      const key = { id: newObjectId(at), ...input, clientId: null, expiresAt, createdAt: at };
      await createKey(database(c.env.DB), key, await hashToken(token));
      c.header("cache-control", "no-store");
      return c.json(inEnvelope({ ...presentKey(key), key: token }, "Key created successfully"), 201);
    },
  )
  .get(
    "/",
    describe({
      id: "listKeys",
      tag: "Keys",
      summary: "List API keys, newest first",
      answer: { status: 200, description: "All keys, without their tokens", schema: found(z.array(Key)) },
      refusals: [403],
    }),
    permit("admin"),
    async (c) => c.json(asFound((await listKeys(database(c.env.DB))).map(presentKey))),
  )
  .delete(
    "/:id",
    describe({
      id: "deleteKey",
      tag: "Keys",
      summary: "Revoke an API key",
      answer: { status: 200, description: "Key revoked", schema: Removed },
      refusals: [403, 404],
    }),
    permit("admin"),
    async (c) => {
      const revoked = await deleteKey(database(c.env.DB), asObjectId(c.req.param("id")) ?? "");
      if (!revoked) return refuse(c, { reason: "not-found", noun: "key", id: null });
      forgetKey(revoked.hash);
      return c.json({ success: true as const, message: "Key deleted successfully" });
    },
  );
