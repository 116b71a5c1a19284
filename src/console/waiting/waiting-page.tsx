/** *Waiting*: who waits for a person, the longest wait first. It loads itself again. */
import { useEffect } from "preact/hooks";
import { ChatRows } from "../chats/list/chat-rows.tsx";
import { Sections } from "../chats/list/sections.tsx";
import { useConsole } from "../context.ts";
import { Problem } from "../shared/problem.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import { BellSwitch } from "./bell-switch.tsx";
import { POLL_MS } from "./waiting-count.ts";
import "../chats/chats.css";

const SHOWN = 100;

export function WaitingPage() {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.sessions.list({ handler: "waiting", limit: SHOWN }), [api]);
  useEffect(() => {
    const timer = setInterval(reload, POLL_MS);
    return () => clearInterval(timer);
  }, [reload]);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Waiting for a person</h1>
      </div>
      <Sections current="waiting" />
      <BellSwitch />
      <Problem problem={problem} onRetry={reload} />
      {value?.results.length === 0 && <p class="note">Nobody waits. Who asks for a person appears here by itself.</p>}
      {value && value.results.length > 0 && <ChatRows sessions={value.results} />}
    </section>
  );
}
