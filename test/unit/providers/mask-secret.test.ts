/** What is kept of the texts that a provider gives besides the reply. */
import { expect, it } from "vitest";
import { replyFailure } from "../../../src/core/reply.ts";
import { maskFinal } from "../../../src/providers/call/mask-secret.ts";

const messageOf = (message: string): string => maskFinal(replyFailure("provider_error", message), "").message;

it("is well formed, also where it is cut", () => {
  expect(messageOf("No \ud83c more")).toBe("No \u{FFFD} more");
  expect(messageOf(`${"x".repeat(999)}🎉`)).toBe(`${"x".repeat(999)}\u{FFFD}`);
});
