import { describe, expect, inject, it } from "vitest";
import type { ConnectorType } from "../../../src/core/endpoint.ts";
import table from "../../fixtures/vendors.json";
import { aRequest, ask } from "../../support/connectors.ts";

const upstream = inject("upstream");

/** A vendor's answer in its own form, and what it says. What is left out is not checked; `usage: null` is none. */
interface Row {
  vendor: string;
  connectorType: string;
  /** `<folder>/<scene>.sse` */
  file: string;
  expect: {
    text: string;
    status: string;
    errorCode?: string;
    finishReason?: string;
    finishReasonRaw?: string | null;
    usage?: { inputTokens: number; outputTokens: number } | null;
    cachedInputTokens?: number;
    reasoningTokens?: number;
    says?: string;
  };
  special: string;
}
const rows: Row[] = table;

async function answerOf({ connectorType, file }: Row) {
  const [folder = "", scene = ""] = file.replace(/\.sse$/, "").split("/");
  const type = connectorType as ConnectorType;
  const byBinding = type === "workers-ai-connector";
  const params = JSON.stringify({ max_attempts: 1 });
  return ask(aRequest(type, scene, { params, ...(byBinding ? {} : { uri: `${upstream}/${folder}/${scene}` }) }));
}

/** What a row expects of the end of its reply. */
function endOf({ expect: expected }: Row): object {
  const { status, errorCode, finishReason, finishReasonRaw, usage, cachedInputTokens, reasoningTokens, says } =
    expected;
  if (status === "error") {
    return { type: "failed", code: errorCode, ...(says === undefined ? {} : { message: expect.stringMatching(says) }) };
  }
  const counted = {
    ...usage,
    ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
  return {
    type: "end",
    finishReason,
    ...(finishReasonRaw == null ? {} : { finishReasonRaw }),
    ...(usage === undefined ? {} : { usage: usage && counted }),
  };
}

describe("an answer in its vendor's own form", () => {
  it.each(rows)("is understood: $file", async (row) => {
    const { text, last } = await answerOf(row);
    expect(text).toBe(row.expect.text);
    expect(last).toMatchObject(endOf(row));
    if (row.expect.finishReasonRaw === null) expect(last).not.toHaveProperty("finishReasonRaw");
  });
});
