import { WorkerEntrypoint } from "cloudflare:workers";
import { secretNamedBy } from "../core/endpoint.ts";
import type { ReplyRequest, ReplyStream } from "../core/reply.ts";
import { replyFailed } from "../core/reply.ts";
import { PROVIDERS } from "./index.ts";

/**
 * Calls one endpoint in an invocation of its own: one invocation may have only six connections waiting for response
 * headers, and a seventh would wait unseen. https://developers.cloudflare.com/workers/platform/limits/
 */
export class ReplyCaller extends WorkerEntrypoint<Env> {
  /**
   * @returns a byte stream of portions of reply events, a JSON array a line. Cancelling it aborts the provider's request
   */
  ask(request: ReplyRequest): ReadableStream<Uint8Array> {
    const stop = new AbortController();
    const events = this.#events(request, stop.signal);
    const encoder = new TextEncoder();
    return new ReadableStream({
      type: "bytes",
      async pull(controller) {
        const next = await events.next();
        if (!next.done) return controller.enqueue(encoder.encode(`${JSON.stringify(next.value)}\n`));
        controller.close();
        // A byte stream whose reader waits with a buffer of its own ends only when that buffer is given back.
        controller.byobRequest?.respond(0);
      },
      async cancel() {
        stop.abort();
        await events.return(undefined);
      },
    });
  }

  async *#events(request: ReplyRequest, signal: AbortSignal): ReplyStream {
    const token = this.#token(request.token);
    if (token === null) {
      yield [replyFailed("provider_auth", `The secret that the endpoint names (${request.token}) is not set.`)];
      return;
    }
    yield* PROVIDERS[request.connectorType].ask({ ...request, token }, signal);
  }

  #token(token: string): string | null {
    const name = secretNamedBy(token);
    if (name === null) return token;
    const secret: unknown = Reflect.get(this.env, name);
    return typeof secret === "string" && secret !== "" ? secret : null;
  }
}
