/** Above the answers of a comparison that was made from a chat: where it is from, and how far its turns are put. */
import type { Comparison as Session } from "../../client/types.ts";
import type { Comparison } from "../compare/comparison.ts";
import { addressOf } from "../router.ts";
import { plural } from "../shared/format.ts";
import { StopIcon } from "../shared/icons.tsx";
import { Problem } from "../shared/problem.tsx";
import { useReplayCall } from "./replay-call.ts";
import "./bridge.css";

interface BarProps {
  session: Session & { from_session: string };
  comparison: Comparison;
}

const MODE_TEXT = {
  user_turns: "each model goes on with its own answers",
  pinned: "each message with the conversation as it was",
} as const;

export function ReplayBar({ session, comparison }: BarProps) {
  const { session_id: id, from_session: from, mode = "user_turns" } = session;
  const call = useReplayCall(id);
  const { recordedTurns: of, replayedTurns: put } = comparison;
  const isRunning = call.isRunning || comparison.turns.some((turn) => turn.isRunning);
  return (
    <aside class="replay" aria-label="Replay of the chat">
      <a href={addressOf("chats", from)}>Back to the chat</a>
      <span class="hint">{MODE_TEXT[mode]}</span>
      <label class="replay-progress">
        <progress value={put} max={Math.max(of, 1)} />
        <span role="status">{progressText(put, of, isRunning)}</span>
      </label>
      {isRunning && put < of && (
        <button type="button" class="small" onClick={call.cancel}>
          <StopIcon />
          Stop the replay
        </button>
      )}
      {!isRunning && put < of && (
        <button type="button" class="small primary" onClick={call.start}>
          {put === 0 ? "Replay the chat" : "Go on"}
        </button>
      )}
      <Problem problem={call.problem} onRetry={call.start} />
    </aside>
  );
}

function progressText(put: number, of: number, isRunning: boolean): string {
  if (put >= of) return `${plural(of, "turn")} replayed`;
  return isRunning ? `Turn ${put + 1} of ${of}` : `${put} of ${plural(of, "turn")} replayed`;
}
