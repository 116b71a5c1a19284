/** Everything that is needed to cite an answer: what exactly was sent, where, and how long it took. */
import { useState } from "preact/hooks";
import type { ChatRecord } from "../../../client/types.ts";
import { useConsole } from "../../context.ts";
import { integer, money, seconds } from "../../shared/format.ts";
import { Problem } from "../../shared/problem.tsx";
import { useLoaded } from "../../shared/use-loaded.ts";
import type { Result, ResultProps } from "./result.ts";

export function ReceiptView({ id, result, columns }: ResultProps<Result & { kind: "receipt" }>) {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(async () => {
    const { records } = await api.comparisons.history(id, { receipts: true });
    return records[result.chatId]?.find(({ chat_record_id: number }) => number === result.number) ?? null;
  }, [id, result]);
  if (problem !== null) return <Problem problem={problem} onRetry={reload} />;
  if (!value) return <p class="hint">Loading …</p>;
  return (
    <>
      <p class="lead">{columns.find(({ chatId }) => chatId === result.chatId)?.title}</p>
      <Facts record={value} />
      <Body record={value} />
      <h3>Prompt as it was put</h3>
      <pre class="source">{value.prepared_prompt}</pre>
    </>
  );
}

function Facts({ record }: { record: ChatRecord }) {
  const { receipt } = record;
  const rows: [name: string, value: string | number | null | undefined][] = [
    ["Address", receipt?.url],
    ["Model asked", receipt?.model_asked],
    ["Model that answered", record.model],
    ["Provider's id", record.provider_request_id],
    ["Finish reason", [record.finish_reason, record.finish_reason_raw].filter(Boolean).join(", provider: ")],
    ["Attempts", record.attempts],
    ["Waited for the endpoint's limits", timeOf(record.queue_ms)],
    ["First token", timeOf(record.ttft_ms)],
    ["Whole answer", timeOf(record.duration_ms)],
    ["Tokens", record.usage && `${integer(record.usage.input_tokens)} in, ${integer(record.usage.output_tokens)} out`],
    ["Of them from a cache", record.cached_input_tokens],
    ["Of them for reasoning", record.reasoning_tokens],
    ["Cost", receipt?.cost == null ? null : money(receipt.cost)],
    ["Template", record.prompt_template],
    ["Context strategy", record.context_strategy],
    ["System prompt", record.system_prompt],
    ["Error", record.error && `${record.error.code}: ${record.error.message}`],
    ["Notes", receipt?.notes.join(", ")],
    ["SHA-256 of the body", receipt?.body_sha256],
  ];
  return (
    <dl class="facts">
      {rows
        .filter(([, value]) => value !== null && value !== undefined && value !== "")
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

const timeOf = (milliseconds: number | null): string | null => (milliseconds === null ? null : seconds(milliseconds));

function Body({ record: { receipt } }: { record: ChatRecord }) {
  const body = receipt?.body ?? null;
  if (body === null) return <p class="note">This endpoint answers by itself, so no body was sent to a provider.</p>;
  return (
    <>
      <div class="source-head">
        <h3>Exact body</h3>
        <CopyButton text={body} />
      </div>
      <pre class="source">{indented(body)}</pre>
    </>
  );
}

function indented(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

function CopyButton({ text }: { text: string }) {
  const [isCopied, setIsCopied] = useState(false);
  return (
    <button
      type="button"
      class="quiet small"
      onClick={() => void navigator.clipboard.writeText(text).then(() => setIsCopied(true))}
    >
      {isCopied ? "Copied" : "Copy as it was sent"}
    </button>
  );
}
