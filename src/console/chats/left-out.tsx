/** Which messages of the conversation a reply did not get. */
import { plural } from "../shared/format.ts";
import type { ItemProps } from "./item-props.ts";

const SHOWN_LENGTH = 120;

export function LeftOut({ message, shown, facts }: ItemProps) {
  const context = message.context ?? facts?.context ?? null;
  if (!context) return null;
  const { dropped, kept, estimatedTokens, summary, summaryError } = context;
  const tokens = `about ${plural(estimatedTokens, "token")}`;
  // A prompt that is answered is always sent, and so is the system prompt, which is no message.
  const leftOut = shown.filter(({ seq, role }) => role !== "system" && seq < message.seq).slice(0, dropped);
  return (
    <details class="more left-out">
      <summary>{plural(dropped, "earlier message")} not sent as they are</summary>
      <div class="left-out-inside">
        <p class="hint">
          The chatbot's context had room for the newest {plural(kept, "message")}, {tokens} in all. Nothing is taken out
          of the chat.
        </p>
        {summaryError !== undefined && <p class="hint">They could not be summarised: {summaryError}.</p>}
        {summary !== undefined && (
          <p class="hint">
            <strong>Sent in their place:</strong> {summary}
          </p>
        )}
        <ol>
          {leftOut.map(({ seq, role, content }) => (
            <li key={seq}>
              {role === "user" ? "Client" : "Chatbot"}: {content.slice(0, SHOWN_LENGTH).toWellFormed()}
              {content.length > SHOWN_LENGTH && " …"}
            </li>
          ))}
        </ol>
      </div>
    </details>
  );
}
