/** Asks an endpoint once, and shows what came of it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Endpoint, EndpointTest } from "../../client/types.ts";
import { useConsole } from "../context.ts";
import { seconds } from "../shared/format.ts";
import { problemText } from "../shared/problem.tsx";
import { withAdvice } from "../shared/replies/failure-advice.ts";

type Outcome = { isGood: boolean; text: string } | "running" | null;

export function useEndpointTest(): { outcome: Outcome; test: (id: string) => Promise<void> } {
  const { api } = useConsole();
  const [outcome, setOutcome] = useState<Outcome>(null);
  const test = async (id: string) => {
    setOutcome("running");
    try {
      setOutcome(describe(await api.endpoints.test(id)));
    } catch (error) {
      setOutcome({ isGood: false, text: problemText(error) });
    }
  };
  return { outcome, test };
}

/** In a form, where the endpoint has just been saved. It stays in sight with the buttons below it. */
export function TestOfForm({ outcome }: { outcome: Outcome }) {
  const note = useRef<HTMLDivElement>(null);
  useEffect(() => note.current?.scrollIntoView({ block: "center" }), [outcome]);
  return (
    <div ref={note}>
      <TestOutcome outcome={outcome} isSaved />
    </div>
  );
}

/** @param props.isSaved whether it says that the endpoint has just been saved */
const TestOutcome = ({ outcome, isSaved = false }: { outcome: Outcome; isSaved?: boolean }) => {
  if (outcome === null || (outcome === "running" && !isSaved)) return null;
  if (outcome === "running")
    return (
      <p class="note" role="status">
        Saved. Testing …
      </p>
    );
  const before = outcome.isGood ? "Saved. " : "Saved, but it does not work yet. ";
  return (
    <p class={`row-note note ${outcome.isGood ? "" : "note-bad"}`} role="status">
      {isSaved && before}
      {outcome.text}
    </p>
  );
};

export function EndpointTestButton({ endpoint, children }: { endpoint: Endpoint; children: ComponentChildren }) {
  const { outcome, test } = useEndpointTest();
  return (
    <>
      <div class="row-actions">
        <button
          type="button"
          class="quiet small"
          aria-label={`Test ${endpoint.name}`}
          disabled={outcome === "running"}
          onClick={() => void test(endpoint.id)}
        >
          {outcome === "running" ? "Testing …" : "Test"}
        </button>
        {children}
      </div>
      <TestOutcome outcome={outcome} />
    </>
  );
}

function describe({ ok, error, text, duration_ms: duration }: EndpointTest): { isGood: boolean; text: string } {
  if (!ok) return { isGood: false, text: error ? `${error.code}: ${withAdvice(error)}` : "No answer" };
  return { isGood: true, text: `It answered in ${seconds(duration)}: ${text}` };
}
