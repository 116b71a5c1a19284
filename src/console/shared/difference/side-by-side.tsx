/** Two of several texts beside each other. Each has marked, word by word, what the other does not have. */
import { useMemo } from "preact/hooks";
import { differingParts } from "./differing-parts.ts";
import type { Part } from "./differing-parts.ts";
import "./difference.css";

export interface NamedText {
  id: string;
  title: string;
  text: string;
}

interface SideBySideProps {
  texts: NamedText[];
  left: string;
  right: string;
  onLeft: (id: string) => void;
  onRight: (id: string) => void;
}

export function SideBySide({ texts, left, right, onLeft, onRight }: SideBySideProps) {
  const textOf = (id: string): string => texts.find((one) => one.id === id)?.text ?? "";
  const before = textOf(left);
  const after = textOf(right);
  const parts = useMemo(() => differingParts(before, after), [before, after]);
  return (
    <>
      {before === after && <p class="note">Both texts are the same.</p>}
      {!parts && <p class="note">These texts differ in too much to mark it.</p>}
      <div class="side-by-side">
        <Side label="First" texts={texts} value={left} onChange={onLeft}>
          {parts ? <Marked parts={parts} without="added" /> : before}
        </Side>
        <Side label="Second" texts={texts} value={right} onChange={onRight}>
          {parts ? <Marked parts={parts} without="removed" /> : after}
        </Side>
      </div>
    </>
  );
}

const Marked = ({ parts, without }: { parts: Part[]; without: "added" | "removed" }) => (
  <>
    {parts
      .filter((part) => !part[without])
      .map(({ value, added, removed }, index) => {
        if (added) return <ins key={index}>{value}</ins>;
        return removed ? <del key={index}>{value}</del> : <span key={index}>{value}</span>;
      })}
  </>
);

interface SideProps {
  label: string;
  texts: NamedText[];
  value: string;
  onChange: (id: string) => void;
  children: preact.ComponentChildren;
}

const Side = ({ label, texts, value, onChange, children }: SideProps) => (
  <section class="side" aria-label={label}>
    <label class="field">
      <span>{label}</span>
      <select value={value} onChange={({ currentTarget }) => onChange(currentTarget.value)}>
        {texts.map(({ id, title }) => (
          <option key={id} value={id}>
            {title}
          </option>
        ))}
      </select>
    </label>
    <div class="difference">{children}</div>
  </section>
);
