/** Recorded answers of many vendors, from a table. */
import { describe, expect, inject, it } from "vitest";
import type { ConnectorType } from "../../../src/core/endpoint.ts";
import table from "../../fixtures/vendors.json";
import { makeRequest, callProvider } from "../../support/connectors.ts";

const upstream = inject("upstream");

/** A recorded answer of a vendor, and what must be read from it. A missing field is not checked. `usage: null` means none. */
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

async function readRecorded({ connectorType, file }: Row) {
  const [folder = "", scene = ""] = file.replace(/\.sse$/, "").split("/");
  const type = connectorType as ConnectorType;
  const byBinding = type === "workers-ai-connector";
  const params = JSON.stringify({ max_attempts: 1 });
  return callProvider(
    makeRequest(type, scene, { params, ...(byBinding ? {} : { uri: `${upstream}/${folder}/${scene}` }) }),
  );
}

/** @returns the expected end of the reply */
function expectedEnd({ expect: expected }: Row): object {
  const { status, errorCode, finishReason, finishReasonRaw, usage, cachedInputTokens, reasoningTokens, says } =
    expected;
  if (status === "error") {
    return { type: "failed", code: errorCode, ...(says === undefined ? {} : { message: expect.stringMatching(says) }) };
  }
  const usageWithDetails = {
    ...usage,
    ...(cachedInputTokens === undefined ? {} : { cachedInputTokens }),
    ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
  };
  return {
    type: "end",
    finishReason,
    ...(finishReasonRaw == null ? {} : { finishReasonRaw }),
    ...(usage === undefined ? {} : { usage: usage && usageWithDetails }),
  };
}

describe("an answer in its vendor's own format", () => {
  it.each(rows)("is read: $file", async (row) => {
    const { text, last } = await readRecorded(row);
    expect(text).toBe(row.expect.text);
    expect(last).toMatchObject(expectedEnd(row));
    if (row.expect.finishReasonRaw === null) expect(last).not.toHaveProperty("finishReasonRaw");
  });
});
