import { once } from "node:events";
import { createServer } from "node:net";

/** How long an address may take to say what it is. */
const ANSWER_MS = 3_000;

/** Whether a Parley answers at an address, and not nobody or something else. */
export async function isParley(address: string): Promise<boolean> {
  try {
    const answer = await fetch(`${address}/openapi.json`, { signal: AbortSignal.timeout(ANSWER_MS) });
    const document = (await answer.json()) as { info?: { title?: unknown } } | null;
    return document?.info?.title === "Parley";
  } catch {
    return false;
  }
}

/** Whether a server could listen there. */
export async function isFree(ip: string, port: number): Promise<boolean> {
  const probe = createServer();
  try {
    probe.listen({ port, host: ip === "*" ? "0.0.0.0" : ip, exclusive: true });
    await once(probe, "listening");
    return true;
  } catch (error) {
    // Whatever else is wrong with the address, the server itself says best.
    return (error as NodeJS.ErrnoException).code !== "EADDRINUSE";
  } finally {
    probe.close();
  }
}

/** The address at which this machine reaches a server that listens on an ip, which may stand for all of them. */
export function addressOf(protocol: "http" | "https", ip: string, port: number): string {
  const everywhere = ["*", "0.0.0.0", "::"].includes(ip);
  const host = ip.includes(":") ? `[${ip}]` : ip;
  return `${protocol}://${everywhere ? "127.0.0.1" : host}:${port}`;
}
