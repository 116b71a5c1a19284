/**
 * Reports the records of an attack to Moonshot's web UI, as Moonshot does: five at a time to the address in
 * `MOONSHOT_CALLBACK_URL`, the last ones with the status `COMPLETED`. Effects: HTTP, log lines.
 */
import { rootCause } from "../../../core/failure.ts";
import type { Message } from "../../../core/message.ts";
import type { Session } from "../../../core/session.ts";
import type { TurnSeriesReport } from "../../../core/turn.ts";
import { postJson } from "../../../net/outbound.ts";
import { allowsPrivateUrls } from "../../../net/url-guard.ts";
import { recordSources } from "../../moonshot-shared/sessions/record-sources.ts";
import type { RecordSource } from "../../moonshot-shared/sessions/record-sources.ts";
import { presentRecord } from "../sessions/present.ts";

/** How many records a call has. */
export const BATCH_SIZE = 5;

export class AttackReport implements TurnSeriesReport {
  readonly #session: Session;
  readonly #env: Env;
  #pending: RecordSource[] = [];
  /** The calls go one after another, and no turn waits for them. */
  #sent: Promise<void> = Promise.resolve();

  constructor(session: Session, env: Env) {
    this.#session = session;
    this.#env = env;
  }

  add(messages: Message[]): void {
    const places = this.#session.chats.map(({ chatId }) => chatId);
    const place = ({ chatId }: RecordSource) => places.indexOf(chatId);
    this.#pending.push(...recordSources(messages).toSorted((a, b) => place(a) - place(b)));
    while (this.#pending.length > BATCH_SIZE) this.#send("RUNNING");
  }

  end(): Promise<void> {
    this.#send("COMPLETED");
    return this.#sent;
  }

  #send(status: "RUNNING" | "COMPLETED"): void {
    const { MOONSHOT_CALLBACK_URL: url = "", TIME_ZONE: zone, ALLOW_PRIVATE_ENDPOINTS: allowed } = this.#env;
    const batch = this.#pending.splice(0, BATCH_SIZE);
    if (url === "") return;
    const chats = Map.groupBy(batch, ({ reply }) => reply.endpointId ?? "");
    const body = {
      current_runner_id: this.#session.id,
      current_chats: Object.fromEntries(
        [...chats].map(([id, sources]) => [id, sources.map((source) => presentRecord(source, zone))]),
      ),
      current_batch_size: BATCH_SIZE,
      current_status: status,
    };
    this.#sent = this.#sent
      .then(() => postJson(url, body, allowsPrivateUrls(allowed)))
      .catch((error: unknown) =>
        console.error({ event: "callback-failed", sessionId: this.#session.id, error: rootCause(error) }),
      );
  }
}
