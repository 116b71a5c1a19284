/** Where one puts the items of a run: pasted, dropped or chosen as a file. */
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { integer, plural } from "../../shared/format.ts";
import { readItems } from "./items-text.ts";
import type { ItemsText } from "./items-text.ts";

/** What was given, and the name of the file that it came from. */
export interface GivenItems extends ItemsText {
  fileName: string;
}

interface FieldProps {
  given: GivenItems | null;
  /** What was pasted, also while a file takes its place. */
  text: string;
  onText: (text: string) => void;
  /** @param file `null` for what was pasted */
  onFile: (file: GivenItems | null) => void;
}

const EXAMPLE = '{"prompt": "The capital of France?", "expect": {"contains": "Paris"}}';

export function ItemsField({ given, text, onText, onFile }: FieldProps) {
  const takeFile = (file: File | undefined) =>
    void file?.text().then((content) => onFile(withName(readItems(content, file.name), file.name)));
  const isFile = given !== null && given.fileName !== "";
  const hint = given && !isFile ? describe(given) : HINT;
  return (
    <DropZone onFile={takeFile}>
      {isFile ? (
        <div class="note">
          <span>
            <strong>{given.fileName}</strong> · {describe(given)}
          </span>
          <button type="button" class="quiet small" onClick={() => onFile(null)}>
            Remove
          </button>
        </div>
      ) : (
        <label class="field">
          <span>Items</span>
          <textarea
            rows={6}
            value={text}
            placeholder={EXAMPLE}
            spellcheck={false}
            onInput={({ currentTarget }) => onText(currentTarget.value)}
          />
        </label>
      )}
      <div class="items-line">
        <FileButton onFile={takeFile} />
        <span class="hint">{hint}</span>
      </div>
    </DropZone>
  );
}

const HINT =
  "JSON Lines, CSV with a column prompt, JSON with a list of items, or a prompt on each line. Or drop a file here.";

function DropZone({ onFile, children }: { onFile: (file: File | undefined) => void; children: ComponentChildren }) {
  const [isOver, setIsOver] = useState(false);
  const over = (event: Event, isInside: boolean) => {
    event.preventDefault();
    setIsOver(isInside);
  };
  return (
    <div
      class={`items ${isOver ? "items-over" : ""}`}
      onDragOver={(event) => over(event, true)}
      onDragLeave={(event) => over(event, false)}
      onDrop={(event) => {
        over(event, false);
        onFile(event.dataTransfer?.files[0]);
      }}
    >
      {children}
    </div>
  );
}

export const withName = (items: ItemsText | null, fileName: string): GivenItems | null =>
  items && { ...items, fileName };

const FORMAT_TEXT = { "application/jsonl": "JSON Lines", "text/csv": "CSV" } as const;

function describe({ contentType, count, text }: GivenItems): string {
  const size = count === null ? `${integer(Math.ceil(text.length / 1024))} KB` : plural(count, "item");
  return `${FORMAT_TEXT[contentType]}, ${size}`;
}

function FileButton({ onFile }: { onFile: (file: File | undefined) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" onClick={() => input.current?.click()}>
        Choose a file
      </button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label="File with items"
        accept=".jsonl,.ndjson,.csv,.json,.txt"
        onChange={({ currentTarget }) => {
          onFile(currentTarget.files?.[0]);
          // The same file can be chosen again after it was changed.
          currentTarget.value = "";
        }}
      />
    </>
  );
}
