/** Asks an endpoint once, and shows what came of it. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import type { Endpoint, EndpointTest } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { seconds } from "../shared/format.ts";
import { problemText } from "../shared/problem.tsx";
import { withAdvice } from "../shared/replies/failure-advice.ts";

export function EndpointTestButton({ endpoint, children }: { endpoint: Endpoint; children: ComponentChildren }) {
  const { api } = useConsole();
  const [outcome, setOutcome] = useState<{ isGood: boolean; text: string } | "running" | null>(null);
  const test = async () => {
    setOutcome("running");
    try {
      setOutcome(describe(await api.endpoints.test(endpoint.id)));
    } catch (error) {
      setOutcome({ isGood: false, text: problemText(error) });
    }
  };
  return (
    <>
      <div class="row-actions">
        <button
          type="button"
          class="quiet small"
          aria-label={`Test ${endpoint.name}`}
          disabled={outcome === "running"}
          onClick={() => void test()}
        >
          {outcome === "running" ? "Testing …" : "Test"}
        </button>
        {children}
      </div>
      {outcome !== null && outcome !== "running" && (
        <p class={`row-note note ${outcome.isGood ? "" : "note-bad"}`} role="status">
          {outcome.text}
        </p>
      )}
    </>
  );
}

function describe({ ok, error, text, duration_ms: duration }: EndpointTest): { isGood: boolean; text: string } {
  if (!ok) return { isGood: false, text: error ? `${error.code}: ${withAdvice(error)}` : "No answer" };
  return { isGood: true, text: `It answered in ${seconds(duration)}: ${text}` };
}
