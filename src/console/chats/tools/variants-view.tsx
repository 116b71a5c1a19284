/** Two variants of a message side by side, with what differs marked in each. */
import { useState } from "preact/hooks";
import { SideBySide } from "../../shared/difference/side-by-side.tsx";
import { shortTime } from "../../shared/format.ts";
import type { ChatMessage } from "../conversation.ts";

interface VariantsProps {
  /** At least two. */
  variants: ChatMessage[];
  /** The `seq` of the one that the conversation shows. */
  shown: number;
}

export function VariantsView({ variants, shown }: VariantsProps) {
  const texts = variants.map(({ seq, content, sentAt }, index) => ({
    id: `${seq}`,
    title: `${index + 1} of ${variants.length}, ${shortTime(sentAt)}${seq === shown ? ", shown" : ""}`,
    text: content,
  }));
  const other = texts.findLast(({ id }) => id !== `${shown}`)?.id ?? "";
  const [left, setLeft] = useState(other);
  const [right, setRight] = useState(`${shown}`);
  return <SideBySide texts={texts} left={left} right={right} onLeft={setLeft} onRight={setRight} />;
}
