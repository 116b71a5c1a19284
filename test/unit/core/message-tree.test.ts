/** Paths through a tree of messages, against a model that walks from message to message. */
import * as fc from "fast-check";
import { expect, it } from "vitest";
import { MessageTree, isOnPath, lengthOfPath, seqsOfPath } from "../../../src/core/message-tree.ts";
import type { TreeShape } from "../../../src/core/message-tree.ts";

/** For each message how far back its parent is, and whether it has text. */
const log = fc.array(fc.record({ back: fc.nat(), isFork: fc.boolean(), hasText: fc.boolean() }), { maxLength: 40 });

interface Node {
  seq: number;
  parentSeq: number;
  hasText: boolean;
}

/** Only messages with text are followed. */
function nodesOf(entries: { back: number; isFork: boolean; hasText: boolean }[]): Node[] {
  const nodes: Node[] = [];
  const withText = [0];
  for (const [index, { back, isFork, hasText }] of entries.entries()) {
    const seq = index + 1;
    const parentSeq = (isFork ? withText[back % withText.length] : withText.at(-1)) ?? 0;
    nodes.push({ seq, parentSeq, hasText });
    if (hasText) withText.push(seq);
  }
  return nodes;
}

const shapeOf = (nodes: Node[]): TreeShape => ({
  lastSeq: nodes.length,
  forks: nodes
    .filter(({ seq, parentSeq, hasText }) => parentSeq !== seq - 1 || !hasText)
    .map(({ seq, parentSeq, hasText }) => [seq, parentSeq, hasText]),
});

function ancestors(nodes: Node[], seq: number): number[] {
  const node = nodes[seq - 1];
  return node ? [...ancestors(nodes, node.parentSeq), ...(node.hasText ? [seq] : [])] : [];
}

const isUnder = (nodes: Node[], seq: number, top: number): boolean =>
  seq >= top && (seq === top || isUnder(nodes, nodes[seq - 1]?.parentSeq ?? 0, top));

it("finds the path to each message, the last one that follows it, and its variants", () => {
  fc.assert(
    fc.property(log, (entries) => {
      const nodes = nodesOf(entries);
      const tree = new MessageTree(shapeOf(nodes));
      for (const { seq, parentSeq, hasText } of nodes) {
        const path = tree.pathTo(seq);
        const expected = ancestors(nodes, seq);
        expect(seqsOfPath(path, nodes.length)).toEqual(expected);
        expect(lengthOfPath(path, nodes.length)).toBe(expected.length);
        expect(nodes.filter((node) => isOnPath(path, node.seq)).map((node) => node.seq)).toEqual(expected);
        expect([tree.parentOf(seq), tree.hasText(seq)]).toEqual([parentSeq, hasText]);
        const following = nodes.filter((node) => node.hasText && isUnder(nodes, node.seq, seq));
        expect(tree.leafOf(seq)).toBe(following.at(-1)?.seq ?? seq);
        const siblings = nodes.filter((node) => node.hasText && node.parentSeq === parentSeq);
        const variant = { index: siblings.findIndex((node) => node.seq === seq) + 1, of: siblings.length };
        expect(tree.variantOf(seq)).toEqual(hasText && siblings.length > 1 ? variant : null);
      }
      expect(tree.lastWithText()).toBe(nodes.findLast(({ hasText }) => hasText)?.seq ?? 0);
    }),
  );
});
