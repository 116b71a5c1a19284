/** What differs between two answers to one prompt, word by word. */
import { useMemo, useState } from "preact/hooks";
import { differingParts } from "../../shared/difference/differing-parts.ts";
import type { Column } from "../columns.ts";
import type { Result, ResultProps } from "./result.ts";
import "../../shared/difference/difference.css";

export function DifferenceView({ result: { turn }, columns }: ResultProps<Result & { kind: "difference" }>) {
  const answered = columns.filter(({ chatId }) => (turn.replies.get(chatId)?.text ?? "") !== "");
  const [left, setLeft] = useState(answered[0]?.chatId ?? "");
  const [right, setRight] = useState(answered[1]?.chatId ?? "");
  const before = turn.replies.get(left)?.text ?? "";
  const after = turn.replies.get(right)?.text ?? "";
  if (answered.length < 2) return <p class="note">There are not two answers with text to compare.</p>;
  return (
    <>
      <div class="fields-row">
        <ColumnSelect label="From" columns={answered} value={left} onChange={setLeft} />
        <ColumnSelect label="To" columns={answered} value={right} onChange={setRight} />
      </div>
      <p class="hint">
        <del>Only in the first</del> · <ins>only in the second</ins>
      </p>
      <Difference before={before} after={after} />
    </>
  );
}

export function Difference({ before, after }: { before: string; after: string }) {
  const parts = useMemo(() => differingParts(before, after), [before, after]);
  if (before === after) return <p class="note">Both answers are the same.</p>;
  if (!parts) return <p class="note">These answers differ in too much to mark it.</p>;
  return (
    <div class="difference">
      {parts.map(({ value, added, removed }, index) => {
        if (added) return <ins key={index}>{value}</ins>;
        return removed ? <del key={index}>{value}</del> : <span key={index}>{value}</span>;
      })}
    </div>
  );
}

interface SelectProps {
  label: string;
  columns: Column[];
  value: string;
  onChange: (chatId: string) => void;
}

const ColumnSelect = ({ label, columns, value, onChange }: SelectProps) => (
  <label class="field">
    <span>{label}</span>
    <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
      {columns.map(({ chatId, title }) => (
        <option key={chatId} value={chatId}>
          {title}
        </option>
      ))}
    </select>
  </label>
);
