import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fingerprintSecret, isSealed, seal, reseal, unseal } from "../../../src/crypto/sealed-tokens.ts";

/** A key of 32 equal bytes, in base64. */
const aKey = (byte: number) => btoa(String.fromCharCode(byte).repeat(32));
const secrets = { ENCRYPTION_KEY: aKey(1) };

async function sealed(token: string, endpointId = "gpt"): Promise<string> {
  const text = await seal(token, endpointId, secrets);
  if (text === null) throw new Error("There is no key");
  return text;
}

describe("a sealed token", () => {
  it("opens to what was sealed, whatever that is", async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: "binary" }), fc.string({ unit: "binary" }), async (token, id) => {
        expect(await unseal(await sealed(token, id), id, secrets)).toBe(token);
      }),
      { numRuns: 100 },
    );
  });

  it("shows nothing of the token, and never looks the same twice", async () => {
    const [one, other] = [await sealed("sk-secret"), await sealed("sk-secret")];
    expect(one).toMatch(/^sealed:1:[A-Za-z0-9+/]+=*$/);
    expect(one).not.toBe(other);
    expect(atob(one.slice("sealed:1:".length))).not.toContain("sk-secret");
  });

  it("belongs to its endpoint: no other can open it", async () => {
    expect(await unseal(await sealed("sk-secret", "gpt"), "other", secrets)).toBeNull();
  });

  it("does not open once one bit of it has changed", async () => {
    const text = await sealed("sk-secret");
    const bytes = Uint8Array.from(atob(text.slice(9)), (character) => character.charCodeAt(0));
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = bytes.with(at, (bytes[at] ?? 0) ^ 1);
      const forged = `sealed:1:${btoa(String.fromCharCode(...changed))}`;
      expect(await unseal(forged, "gpt", secrets)).toBeNull();
    }
  });

  it.each(["sealed:1:", "sealed:1:!!!", "sealed:1:AAAA"])("that is none (%s) does not open", async (text) => {
    expect(await unseal(text, "gpt", secrets)).toBeNull();
  });
});

describe("keys", () => {
  it.each([undefined, "", "short", aKey(1).slice(4), `${aKey(1)}AAAA`, "not base64, whatever it may be!!!"])(
    "of the form %j seal nothing, and open nothing",
    async (key) => {
      const bad = key === undefined ? {} : { ENCRYPTION_KEY: key };
      expect(await seal("sk-secret", "gpt", bad)).toBeNull();
      expect(await reseal("sk-secret", "gpt", bad)).toBeNull();
      expect(await fingerprintSecret("sk-secret", bad)).toBeNull();
      expect(await unseal(await sealed("sk-secret"), "gpt", bad)).toBeNull();
    },
  );

  it("may be followed by a line feed, as a pasted one is", async () => {
    expect(await unseal(await sealed("sk-secret"), "gpt", { ENCRYPTION_KEY: `${aKey(1)}\n` })).toBe("sk-secret");
  });

  it("of before open what they sealed, until it is sealed anew under the current one", async () => {
    const old = await sealed("sk-secret");
    const rotated = { ENCRYPTION_KEY: aKey(3), ENCRYPTION_KEY_PREVIOUS: `${aKey(2)}, ${aKey(1)}` };
    expect(await unseal(old, "gpt", rotated)).toBe("sk-secret");
    const anew = await reseal(old, "gpt", rotated);
    expect(anew && (await unseal(anew, "gpt", { ENCRYPTION_KEY: aKey(3) }))).toBe("sk-secret");
    expect(await unseal(old, "gpt", { ENCRYPTION_KEY: aKey(3) })).toBeNull();
  });
});

it("a token that an earlier version stored plain is taken as it is, and sealed when it is sealed anew", async () => {
  expect(await unseal("sk-plain", "gpt", secrets)).toBe("sk-plain");
  const anew = (await reseal("sk-plain", "gpt", secrets)) ?? "";
  expect([isSealed(anew), await unseal(anew, "gpt", secrets)]).toEqual([true, "sk-plain"]);
});

it("what no key opens stays as it is when it is sealed anew", async () => {
  const foreign = await sealed("sk-secret");
  expect(await reseal(foreign, "gpt", { ENCRYPTION_KEY: aKey(9) })).toBe(foreign);
});

it("a fingerprint tells equal tokens under one key, and cannot be made without it", async () => {
  const one = await fingerprintSecret("a", secrets);
  expect(await fingerprintSecret("a", secrets)).toBe(one);
  expect(await fingerprintSecret("b", secrets)).not.toBe(one);
  expect(await fingerprintSecret("a", { ENCRYPTION_KEY: aKey(2) })).not.toBe(one);
});
