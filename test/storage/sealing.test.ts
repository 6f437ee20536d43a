import { compactDecrypt, decodeProtectedHeader, EncryptJWT, generateSecret } from "jose";
import { describe, expect, it } from "vitest";
import { open, seal } from "../../src/storage/sealing.ts";
import { encoded, withPart } from "../support/forge.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const claims = { host: "smtp.example.net", user: "sender@example.com", password: "app-password" };

describe("seal", () => {
  it("seals claims that open for the same tenant", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { jwe } = await seal("settings", "acme", claims, settingsKeys);
    expect(await open("acme", jwe, settingsKeys)).toEqual({
      claims: { ...claims, sub: "acme", iat: expect.any(Number) },
      kid: "one",
    });
  });

  it("produces another ciphertext, content key and IV each time", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const [first, second] = [await sealed(settingsKeys), await sealed(settingsKeys)];
    for (const part of [1, 2, 3, 4]) expect(first.split(".")[part]).not.toBe(second.split(".")[part]);
  });

  it("produces a standard JWE that any JOSE library opens with the key", async () => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const { plaintext, protectedHeader } = await compactDecrypt(await sealed(settingsKeys), raw);
    expect(protectedHeader).toEqual({ alg: "A256KW", enc: "A256GCM", kid: "one" });
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({
      ...claims,
      sub: "acme",
      iat: expect.any(Number),
    });
  });

  it("reveals nothing of the claims in any part", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const parts = (await sealed(settingsKeys)).split(".").map((part) => atob(toBase64(part)));
    for (const secret of [...Object.values(claims), "acme"]) {
      expect(parts.some((part) => part.includes(secret))).toBe(false);
    }
  });

  it("uses the first key, and names it", async () => {
    const { settingsKeys } = await newSettingsKeys("new", "old");
    const { jwe, kid } = await seal("settings", "acme", claims, settingsKeys);
    expect(kid).toBe("new");
    expect(decodeProtectedHeader(jwe).kid).toBe("new");
  });
});

describe("open", () => {
  it("uses whichever key the value names", async () => {
    const before = await newSettingsKeys("old");
    const { settingsKeys: added } = await newSettingsKeys("new");
    const jwe = await sealed(before.settingsKeys);
    expect(await open("acme", jwe, [...added, ...before.settingsKeys])).toMatchObject({ claims, kid: "old" });
  });

  it("rejects a value that belongs to another tenant", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const opened = open("mallory", await sealed(settingsKeys), settingsKeys);
    await expectSealingError(opened, { kid: "one", reason: /"sub" claim/ });
  });

  it("rejects a value whose key has been removed", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { settingsKeys: others } = await newSettingsKeys("two");
    const opened = open("acme", await sealed(settingsKeys), others);
    await expectSealingError(opened, { kid: "one", reason: /no settings key has this kid/ });
  });

  it("rejects another key of the same name", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { settingsKeys: namesake } = await newSettingsKeys("one");
    await expectSealingError(open("acme", await sealed(settingsKeys), namesake), { kid: "one" });
  });

  it.each(["__proto__", "constructor", "0", "length", ""])("finds no key for the kid %j", async (kid) => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await sealedByOthers({ alg: "A256KW", enc: "A256GCM", kid }, raw);
    const reason = /no settings key has this kid/;
    await expectSealingError(open("acme", jwe, settingsKeys), { kid, reason });
  });

  it("accepts a key named __proto__", async () => {
    const { settingsKeys } = await newSettingsKeys("__proto__");
    expect(await open("acme", await sealed(settingsKeys), settingsKeys)).toMatchObject({ claims });
  });

  it("rejects a value without a kid", async () => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await sealedByOthers({ alg: "A256KW", enc: "A256GCM" }, raw);
    await expectSealingError(open("acme", jwe, settingsKeys), { kid: undefined });
  });

  it.each([
    { alg: "dir", enc: "A256GCM" },
    { alg: "A256GCMKW", enc: "A256GCM" },
    { alg: "A256KW", enc: "A128GCM" },
    { alg: "A256KW", enc: "A128CBC-HS256" },
    { alg: "A256KW", enc: "A256CBC-HS512" },
  ])("rejects $alg with $enc, even with the right key", async ({ alg, enc }) => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await sealedByOthers({ alg, enc, kid: "one" }, raw);
    await expectSealingError(open("acme", jwe, settingsKeys), { kid: "one", reason: /value not allowed/ });
  });

  it("rejects a value sealed with a password instead of a key", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const header = { alg: "PBES2-HS256+A128KW", enc: "A256GCM", kid: "one" };
    const jwe = await sealedByOthers(header, new TextEncoder().encode("password"));
    await expectSealingError(open("acme", jwe, settingsKeys), { kid: "one", reason: /value not allowed/ });
  });

  it.each([0, 1, 2, 3, 4])("rejects a value whose part %i has changed", async (part) => {
    const { settingsKeys } = await newSettingsKeys("one");
    const jwe = await sealed(settingsKeys);
    const original = jwe.split(".")[part] ?? "";
    const changed = `${original.startsWith("A") ? "B" : "A"}${original.slice(1)}`;
    await expectSealingError(open("acme", jwe.split(".").with(part, changed).join("."), settingsKeys));
  });

  it("rejects a value with another header member", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const header = encoded({ alg: "A256KW", enc: "A256GCM", kid: "one", cty: "JWT" });
    const changed = withPart(await sealed(settingsKeys), 0, header);
    await expectSealingError(open("acme", changed, settingsKeys), { kid: "one" });
  });

  it.each([1, 10, 50, 90])("rejects a value without its last %i characters", async (missing) => {
    const { settingsKeys } = await newSettingsKeys("one");
    await expectSealingError(open("acme", (await sealed(settingsKeys)).slice(0, -missing), settingsKeys));
  });

  it.each(["", "null", "{}", JSON.stringify(claims), "a.b.c.d.e", "....", "e30.e30.e30", "\0"])(
    "rejects %j",
    async (value) => {
      const { settingsKeys } = await newSettingsKeys("one");
      await expectSealingError(open("acme", value, settingsKeys));
    },
  );

  it("reveals nothing of the value when it fails", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const error: unknown = await open("mallory", await sealed(settingsKeys), settingsKeys).catch(
      (thrown: unknown) => thrown,
    );
    expect(error).toMatchObject({ name: "SealingError" });
    const text = `${String(error)} ${JSON.stringify(error)}`;
    expect(text).not.toMatch(/app-password|acme|smtp\.example/);
  });
});

async function sealed(keys: Parameters<typeof seal>[3]): Promise<string> {
  return (await seal("settings", "acme", claims, keys)).jwe;
}

/** Seals the claims under any header, as another program with the key could. */
async function sealedByOthers(
  header: { alg: string; enc: string; kid?: string },
  raw: Uint8Array,
): Promise<string> {
  const { alg, enc } = header;
  const key = alg === "dir" && enc !== "A256GCM" ? await generateSecret(enc) : raw;
  return new EncryptJWT({ ...claims }).setProtectedHeader(header).setSubject("acme").encrypt(key);
}

async function expectSealingError(
  opened: Promise<unknown>,
  { reason, ...details }: { kid?: string | undefined; reason?: RegExp } = {},
): Promise<void> {
  const message = reason === undefined ? expect.any(String) : expect.stringMatching(reason);
  await expect(opened).rejects.toMatchObject({ name: "SealingError", message, ...details });
}

function toBase64(base64url: string): string {
  return base64url.replaceAll("-", "+").replaceAll("_", "/");
}
