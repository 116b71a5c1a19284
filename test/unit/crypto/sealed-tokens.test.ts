/** Encryption of tokens: what opens with which key. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintSecret, seal, reseal, unseal } from "../../../src/crypto/sealed-tokens.ts";
import type { TokenBinding } from "../../../src/crypto/sealed-tokens.ts";

/** A key of 32 equal bytes, in base64. */
const makeKey = (byte: number) => btoa(String.fromCharCode(byte).repeat(32));
const secrets = { ENCRYPTION_KEY: makeKey(1) };

const GPT: TokenBinding = { endpointId: "gpt", connectorType: "openai-connector", origin: "https://api.openai.com" };

async function sealed(token: string, binding = GPT): Promise<string> {
  const text = await seal(token, binding, secrets);
  if (text === null) throw new Error("There is no key");
  return text;
}

describe("a sealed token", () => {
  it("opens to the token that was sealed, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), async (token, endpointId) => {
        const binding = { ...GPT, endpointId };
        expect(await unseal(await sealed(token, binding), binding, secrets)).toBe(token);
      }),
      { numRuns: 100 },
    );
  });

  it("does not contain the token, and is different each time", async () => {
    const [one, other] = [await sealed("sk-secret"), await sealed("sk-secret")];
    expect(one).toMatch(/^sealed:2:[A-Za-z0-9+/]+=*$/);
    expect(one).not.toBe(other);
    expect(atob(one.slice("sealed:2:".length))).not.toContain("sk-secret");
  });

  it.each([
    { endpointId: "other" },
    { connectorType: "azure-openai-connector" },
    { origin: "https://api.openai.com.evil.example" },
    { origin: "" },
  ] satisfies Partial<TokenBinding>[])(
    "opens only for its endpoint, connector and origin, not with %j",
    async (other) => {
      const text = await sealed("sk-secret");
      expect(await unseal(text, GPT, secrets)).toBe("sk-secret");
      expect(await unseal(text, { ...GPT, ...other }, secrets)).toBeNull();
    },
  );

  it("has no two bindings that count as one", async () => {
    const [one, other] = [
      { ...GPT, endpointId: 'a","openai-connector' },
      { ...GPT, endpointId: "a" },
    ];
    expect(await unseal(await sealed("sk-secret", one), other, secrets)).toBeNull();
  });

  it("does not open when one bit has changed", async () => {
    const text = await sealed("sk-secret");
    const bytes = Uint8Array.from(atob(text.slice(9)), (character) => character.charCodeAt(0));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1);
      const forged = `sealed:2:${btoa(String.fromCharCode(...changed))}`;
      expect(await unseal(forged, GPT, secrets)).toBeNull();
    }
  });

  it.each(["", "sk-plain", "sealed:2:", "sealed:2:!!!", "sealed:2:AAAA"])(
    "does not open when it is none: %s",
    async (text) => {
      expect(await unseal(text, GPT, secrets)).toBeNull();
    },
  );
});

describe("encryption keys", () => {
  it.each([undefined, "", "short", makeKey(1).slice(4), `${makeKey(1)}AAAA`, "not base64, whatever it may be!!!"])(
    "of the form %j seal nothing and open nothing",
    async (key) => {
      const bad = key === undefined ? {} : { ENCRYPTION_KEY: key };
      expect(await seal("sk-secret", GPT, bad)).toBeNull();
      expect(await reseal("sk-secret", GPT, bad)).toBeNull();
      expect(await fingerprintSecret("sk-secret", bad)).toBeNull();
      expect(await unseal(await sealed("sk-secret"), GPT, bad)).toBeNull();
    },
  );

  it("may end with a line feed, as pasted ones do", async () => {
    expect(await unseal(await sealed("sk-secret"), GPT, { ENCRYPTION_KEY: `${makeKey(1)}\n` })).toBe("sk-secret");
  });

  it("of the past open tokens until these are sealed again with the current key", async () => {
    const old = await sealed("sk-secret");
    const rotated = { ENCRYPTION_KEY: makeKey(3), ENCRYPTION_KEY_PREVIOUS: `${makeKey(2)}, ${makeKey(1)}` };
    expect(await unseal(old, GPT, rotated)).toBe("sk-secret");
    const anew = await reseal(old, GPT, rotated);
    expect(anew && (await unseal(anew, GPT, { ENCRYPTION_KEY: makeKey(3) }))).toBe("sk-secret");
    expect(await unseal(old, GPT, { ENCRYPTION_KEY: makeKey(3) })).toBeNull();
  });
});

it("of the first version, which was bound to no origin, opens no more", async () => {
  expect(await unseal((await sealed("sk-secret")).replace("sealed:2:", "sealed:1:"), GPT, secrets)).toBeNull();
});

it("does not encrypt anew what no key opens", async () => {
  const foreign = await sealed("sk-secret");
  expect(await reseal(foreign, GPT, { ENCRYPTION_KEY: makeKey(9) })).toBeNull();
});

it("makes equal fingerprints for equal tokens under one key, and none without the key", async () => {
  const one = await fingerprintSecret("a", secrets);
  expect(await fingerprintSecret("a", secrets)).toBe(one);
  expect(await fingerprintSecret("b", secrets)).not.toBe(one);
  expect(await fingerprintSecret("a", { ENCRYPTION_KEY: makeKey(2) })).not.toBe(one);
});
