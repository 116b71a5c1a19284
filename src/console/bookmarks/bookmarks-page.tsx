/** *Bookmarks*: the answers of comparisons that somebody kept. */
import { useState } from "preact/hooks";
import type { Bookmark } from "../../client/types.ts";
import { partOf } from "../compare/answer-place.ts";
import { useConsole } from "../context.ts";
import { addressOf } from "../router.ts";
import { ConfirmButton } from "../shared/confirm-button.tsx";
import { EndpointTitles, useEndpointTitle } from "../shared/endpoint-titles.tsx";
import { shortTime } from "../shared/format.ts";
import { Problem } from "../shared/problem.tsx";
import { FormattedText } from "../shared/replies/formatted-text.tsx";
import { useLoaded } from "../shared/use-loaded.ts";
import "../shared/rows.css";
import "./bookmarks.css";

export function BookmarksPage() {
  const { api } = useConsole();
  const { value, problem, reload } = useLoaded(() => api.bookmarks.list(), [api]);
  const [failure, setFailure] = useState<unknown>(null);
  const remove = (name: string) => api.bookmarks.delete(name).then(reload, setFailure);
  return (
    <section class="page">
      <div class="page-head">
        <h1>Bookmarks</h1>
        <a class="button quiet" href={addressOf("compare")}>
          Compare
        </a>
      </div>
      <p class="lead">Answers that somebody kept, each a copy with its prompt.</p>
      <Problem problem={failure ?? problem} onRetry={reload} />
      {value?.length === 0 && <p class="note">Nothing is kept yet. Choose Bookmark below an answer of a comparison.</p>}
      {value && value.length > 0 && (
        <EndpointTitles endpoints={value.flatMap(({ record }) => record.conn_id ?? [])}>
          <ul class="rows">
            {value.map((bookmark) => (
              <Row key={bookmark.name} bookmark={bookmark} onDelete={() => void remove(bookmark.name)} />
            ))}
          </ul>
        </EndpointTitles>
      )}
    </section>
  );
}

function Row({ bookmark, onDelete }: { bookmark: Bookmark; onDelete: () => void }) {
  const titleOf = useEndpointTitle();
  const { name, note, record, session_id: sessionId, created_epoch: created } = bookmark;
  const endpoint = record.conn_id;
  const answer = record.predicted_result ?? record.partial_result ?? "";
  return (
    <li>
      <div class="row-text">
        <strong>{name}</strong>
        <span>
          {[endpoint === undefined ? "" : titleOf(endpoint), shortTime(new Date(created * 1000))]
            .filter(Boolean)
            .join(" · ")}
        </span>
        {note !== null && note !== "" && <p class="bookmark-note">{note}</p>}
      </div>
      <div class="row-actions">
        {sessionId !== null && (
          <a
            class="button quiet small"
            href={addressOf("compare", sessionId, placeOf(bookmark))}
            aria-label={`The comparison of ${name}`}
          >
            Comparison
          </a>
        )}
        <ConfirmButton action="Delete" object={name} onConfirm={onDelete} />
      </div>
      <details class="row-note more">
        <summary>
          Prompt and answer<span class="unseen"> of {name}</span>
        </summary>
        <p class="bookmark-prompt">{record.prompt}</p>
        {answer === "" ? <p class="hint">It has no text.</p> : <FormattedText text={answer} />}
      </details>
    </li>
  );
}

/** Moonshot's own web UI keeps answers without their place. */
const placeOf = ({ chat_id: chatId, chat_record_id: number }: Bookmark): string =>
  chatId === null || number === null ? "" : partOf({ chatId, number });
