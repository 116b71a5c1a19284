/** Sockets whose clients may not read: how much they are sent, and that a client that comes back misses nothing. */
import { describe, expect, it, vi } from "vitest";
import { post } from "../../support/api.ts";
import { connect } from "../../support/follow.ts";
import type { SocketClient } from "../../support/follow.ts";
import { createClient, createSession } from "../../support/create.ts";
import { writeLog } from "../../support/long-log.ts";

const MB = 1_048_576;
const MESSAGE_CHARACTERS = 100_000;

/** Enough messages for more than 6 MiB. */
const TOO_MANY = 68;

async function createLongSession(messages: number): Promise<string> {
  const id = await createSession();
  await writeLog(
    id,
    Array.from({ length: messages }, (_, n) => ({ prompt: `${n} `.padEnd(MESSAGE_CHARACTERS, "x"), replies: [] })),
  );
  return id;
}

const append = (id: string) =>
  post(
    `/sessions/message?sessionId=${id}`,
    { message: { role: "user", content: "y".repeat(MESSAGE_CHARACTERS) } },
    { headers: { prefer: "return=minimal" } },
  );

const seqsOf = ({ events }: SocketClient): number[] =>
  events.flatMap(({ type, seq }) => (type === "message-appended" ? [seq] : []));

const bytesOf = ({ events }: SocketClient): number =>
  events.reduce((sum, event) => sum + JSON.stringify(event).length, 0);

describe("the catch-up of a socket", () => {
  it("ends after 6 MiB with 1013, and the client goes on where it was", async () => {
    const id = await createLongSession(150);
    const seen: number[] = [];
    let parts = 0;
    for (; seen.length < 150; parts++) {
      const client = await connect(`/sessions/${id}/ws?after=${seen.at(-1) ?? 0}`);
      await client.until(({ closed }) => closed !== null || (seqsOf(client).at(-1) ?? 0) === 150);
      expect(bytesOf(client)).toBeLessThan(6.3 * MB);
      if (client.closed) expect(client.closed.code).toBe(1013);
      seen.push(...seqsOf(client));
      client.socket.close();
    }
    expect(seen).toEqual(Array.from({ length: 150 }, (_, n) => n + 1));
    expect(parts).toBe(3);
  });
});

it("all sockets of a session together have 16 MiB to read at most: the one that is too much is closed, and no more opens", async () => {
  const messages = 50;
  const id = await createLongSession(messages);
  const open = () => connect(`/sessions/${id}/ws?after=0`, { answersClose: false });
  const first = [await open(), await open(), await open()];
  for (const client of first) await client.next("message-appended", messages);
  const last = await open();
  await last.until(({ closed }) => closed !== null);
  expect(last.closed).toMatchObject({ code: 1013 });
  expect(seqsOf(last).length).toBeLessThan(messages);
  await expect(open()).rejects.toThrow("429");
});

describe("an open socket", () => {
  const connectAs = async (role: "service" | "client") => {
    const clientId = await createClient();
    const id = await createSession({ clientId });
    const key = { name: "k", role, ...(role === "client" && { clientId }) };
    const token = (await post("/keys", key)).body.data.key;
    return { id, client: await connect(`/sessions/${id}/ws`, { token }) };
  };

  it.each(["service", "client"] as const)("of a %s that shows no sign of life is closed after 6 MiB", async (role) => {
    const { id, client } = await connectAs(role);
    for (let n = 0; n < TOO_MANY && client.closed === null; n++) await append(id);
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code: 1013 });
    expect(bytesOf(client)).toBeGreaterThan(6 * MB);
    const back = await connect(`/sessions/${id}/ws?after=${seqsOf(client).at(-1)}`);
    await append(id);
    await back.next("message-appended");
    expect(seqsOf(back)[0]).toBe((seqsOf(client).at(-1) ?? 0) + 1);
  });

  it.each([
    [
      "heartbeats",
      async ({ socket }: SocketClient) => {
        const answered = new Promise<void>((resolve) => {
          socket.addEventListener("message", ({ data }) => data === "pong" && resolve());
        });
        socket.send("ping");
        await answered;
      },
    ],
    [
      "frames",
      async (client: SocketClient) => {
        client.send({ type: "turn-cancel", id: crypto.randomUUID() });
        await client.next("ack", client.types().filter((type) => type === "ack").length + 1);
      },
    ],
  ])("of a service that sends %s stays open", async (_, giveSign) => {
    const { id, client } = await connectAs("service");
    for (let n = 0; n < 3 * TOO_MANY; n++) {
      if (n % 20 === 0) await giveSign(client);
      await append(id);
    }
    await client.next("message-appended", 3 * TOO_MANY);
    expect(client.closed).toBeNull();
  });

  it("stays open beside closed ones whose clients answer no Close frame: these are sent nothing", async () => {
    const { id, client } = await connectAs("service");
    const token = (await post("/keys", { name: "k", role: "service" })).body.data.key;
    const open = () => connect(`/sessions/${id}/ws`, { token, answersClose: false });
    const closed = await Promise.all(Array.from({ length: 5 }, open));
    for (const other of closed) for (let n = 0; n < 10; n++) other.send("bad");
    await Promise.all(closed.map((other) => other.until(() => other.closed !== null)));
    // What was sent to them would count again after two seconds.
    const now = Date.now.bind(Date);
    const clock = vi.spyOn(Date, "now").mockImplementation(() => now() + 3_000);
    for (let n = 0; n < TOO_MANY; n++) {
      client.send({ type: "turn-cancel", id: `${n}` });
      await client.next("ack", n + 1);
      await append(id);
    }
    clock.mockRestore();
    await client.next("message-appended", TOO_MANY);
    expect(client.closed).toBeNull();
  });

  it("of an end user is closed after 6 MiB, whatever it sends", async () => {
    const { id, client } = await connectAs("client");
    for (let n = 0; n < TOO_MANY && client.closed === null; n++) {
      client.socket.send("ping");
      client.send({ type: "turn-cancel", id: `c${n}` });
      await append(id);
    }
    await client.until(({ closed }) => closed !== null);
    expect(client.closed).toMatchObject({ code: 1013 });
  });
});
