import { compactDecrypt, decodeProtectedHeader, EncryptJWT, generateSecret } from "jose";
import { describe, expect, it } from "vitest";
import { settingsSchema } from "../../src/settings/schema.ts";
import { open, type SettingsRecord, seal } from "../../src/settings/vault.ts";
import { encoded, withPart } from "../support/forge.ts";
import { newSettingsKeys } from "../support/settings-keys.ts";

const record: SettingsRecord = {
  settings: settingsSchema.parse({
    host: "smtp.example.net",
    from: "sender@example.com",
    starttls: true,
    user: "sender@example.com",
    password: "app-password",
  }),
  updatedAt: "2026-11-20T12:00:00.000Z",
  updatedBy: "ada",
  version: "b8d9a9f4-0000-4000-8000-000000000001",
};

describe("sealing", () => {
  it("gives what opens again for the same tenant", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { jwe } = await seal("acme", record, settingsKeys);
    expect(await open("acme", jwe, settingsKeys)).toEqual(record);
  });

  it("gives a version to a record of before there were versions", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { version: _, ...older } = record;
    const { jwe } = await seal("acme", older as SettingsRecord, settingsKeys);
    expect(await open("acme", jwe, settingsKeys)).toEqual({ ...record, version: record.updatedAt });
  });

  it("gives another ciphertext, another content key and another IV each time", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const [first, second] = [await sealed(settingsKeys), await sealed(settingsKeys)];
    for (const part of [1, 2, 3, 4]) expect(first.split(".")[part]).not.toBe(second.split(".")[part]);
  });

  it("gives a standard JWE, which any JOSE library opens with the bare key", async () => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const { plaintext, protectedHeader } = await compactDecrypt(await sealed(settingsKeys), raw);
    expect(protectedHeader).toEqual({ alg: "A256KW", enc: "A256GCM", kid: "one" });
    expect(JSON.parse(new TextDecoder().decode(plaintext))).toEqual({
      ...record,
      sub: "acme",
      iat: expect.any(Number),
    });
  });

  it("shows nothing of the record in any part", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const parts = (await sealed(settingsKeys)).split(".").map((part) => atob(toBase64(part)));
    for (const secret of ["app-password", "sender@example.com", "smtp.example.net", "ada", "acme"]) {
      expect(parts.some((part) => part.includes(secret))).toBe(false);
    }
  });

  it("uses the first key and says so", async () => {
    const { settingsKeys } = await newSettingsKeys("new", "old");
    const { jwe, kid } = await seal("acme", record, settingsKeys);
    expect(kid).toBe("new");
    expect(decodeProtectedHeader(jwe).kid).toBe("new");
  });
});

describe("opening", () => {
  it("works with any of the keys, so that they can be rotated", async () => {
    const before = await newSettingsKeys("old");
    const { settingsKeys: added } = await newSettingsKeys("new");
    const jwe = await sealed(before.settingsKeys);
    expect(await open("acme", jwe, [...added, ...before.settingsKeys])).toEqual(record);
  });

  it("does not work for another tenant", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const opened = open("mallory", await sealed(settingsKeys), settingsKeys);
    await expectUnreadable(opened, { tenant: "mallory", kid: "one", reason: /"sub" claim/ });
  });

  it("does not work once the key has gone", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { settingsKeys: others } = await newSettingsKeys("two");
    const opened = open("acme", await sealed(settingsKeys), others);
    await expectUnreadable(opened, { kid: "one", reason: /no settings key has this kid/ });
  });

  it("does not work with another key of the same name", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const { settingsKeys: namesake } = await newSettingsKeys("one");
    await expectUnreadable(open("acme", await sealed(settingsKeys), namesake), { kid: "one" });
  });

  it.each(["__proto__", "constructor", "0", "length", ""])("knows no key by the kid %j", async (kid) => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await foreign({ alg: "A256KW", enc: "A256GCM", kid }, raw);
    await expectUnreadable(open("acme", jwe, settingsKeys), { kid, reason: /no settings key has this kid/ });
  });

  it("works with a key that is named __proto__", async () => {
    const { settingsKeys } = await newSettingsKeys("__proto__");
    expect(await open("acme", await sealed(settingsKeys), settingsKeys)).toEqual(record);
  });

  it("does not work without a kid", async () => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await foreign({ alg: "A256KW", enc: "A256GCM" }, raw);
    await expectUnreadable(open("acme", jwe, settingsKeys), { kid: undefined });
  });

  it.each([
    { alg: "dir", enc: "A256GCM" },
    { alg: "A256GCMKW", enc: "A256GCM" },
    { alg: "A256KW", enc: "A128GCM" },
    { alg: "A256KW", enc: "A128CBC-HS256" },
    { alg: "A256KW", enc: "A256CBC-HS512" },
  ])("pins both algorithms: not $alg with $enc, even by the right key", async ({ alg, enc }) => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await foreign({ alg, enc, kid: "one" }, raw);
    await expectUnreadable(open("acme", jwe, settingsKeys), { kid: "one", reason: /value not allowed/ });
  });

  it("does not work with a password in place of a key", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const header = { alg: "PBES2-HS256+A128KW", enc: "A256GCM", kid: "one" };
    const jwe = await foreign(header, new TextEncoder().encode("password"));
    await expectUnreadable(open("acme", jwe, settingsKeys), { kid: "one", reason: /value not allowed/ });
  });

  it.each([0, 1, 2, 3, 4])("does not work when part %i was changed", async (part) => {
    const { settingsKeys } = await newSettingsKeys("one");
    const jwe = await sealed(settingsKeys);
    const original = jwe.split(".")[part] ?? "";
    const swapped = original.startsWith("A") ? `B${original.slice(1)}` : `A${original.slice(1)}`;
    const changed = jwe.split(".").map((text, index) => (index === part ? swapped : text));
    await expectUnreadable(open("acme", changed.join("."), settingsKeys), {});
  });

  it("does not work when the header was given another member", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const header = encoded({ alg: "A256KW", enc: "A256GCM", kid: "one", cty: "JWT" });
    await expectUnreadable(open("acme", withPart(await sealed(settingsKeys), 0, header), settingsKeys), {
      kid: "one",
    });
  });

  it.each([1, 10, 50, 90])("does not work when the last %i characters are missing", async (missing) => {
    const { settingsKeys } = await newSettingsKeys("one");
    await expectUnreadable(open("acme", (await sealed(settingsKeys)).slice(0, -missing), settingsKeys), {});
  });

  it.each(["", "null", "{}", JSON.stringify(record), "a.b.c.d.e", "....", "e30.e30.e30", "\0"])(
    "does not take %j for a record",
    async (value) => {
      const { settingsKeys } = await newSettingsKeys("one");
      await expectUnreadable(open("acme", value, settingsKeys), { tenant: "acme" });
    },
  );

  it("does not take a record of another kind for settings, though the same key has sealed it", async () => {
    const { settingsKeys, raw } = await newSettingsKeys("one");
    const jwe = await new EncryptJWT({ template: "welcome" })
      .setProtectedHeader({ alg: "A256KW", enc: "A256GCM", kid: "one" })
      .setSubject("acme")
      .encrypt(raw);
    await expectUnreadable(open("acme", jwe, settingsKeys), { tenant: "acme", kid: "one" });
  });

  it("tells nothing of what was sealed when it fails", async () => {
    const { settingsKeys } = await newSettingsKeys("one");
    const error: unknown = await open("mallory", await sealed(settingsKeys), settingsKeys).catch(
      (thrown) => thrown,
    );
    expect(JSON.stringify(error)).toContain("record_unreadable");
    expect(JSON.stringify(error)).not.toMatch(/app-password|acme|smtp\.example/);
  });
});

async function sealed(keys: Parameters<typeof seal>[2]): Promise<string> {
  return (await seal("acme", record, keys)).jwe;
}

/** What another program could have put there with the same key: good claims under any header. */
async function foreign(header: { alg: string; enc: string; kid?: string }, raw: Uint8Array): Promise<string> {
  const { alg, enc } = header;
  const key = alg === "dir" && enc !== "A256GCM" ? await generateSecret(enc) : raw;
  return new EncryptJWT({ ...record }).setProtectedHeader(header).setSubject("acme").encrypt(key);
}

async function expectUnreadable(
  opened: Promise<unknown>,
  { reason, ...details }: { tenant?: string; kid?: string | undefined; reason?: RegExp },
): Promise<void> {
  const refusal = {
    kind: "record_unreadable",
    ...details,
    reason: reason === undefined ? expect.any(String) : expect.stringMatching(reason),
  };
  await expect(opened).rejects.toMatchObject({ refusal });
}

function toBase64(base64url: string): string {
  return base64url.replaceAll("-", "+").replaceAll("_", "/");
}
