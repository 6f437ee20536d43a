import { describe, expect, it } from "vitest";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";
import { usesMask, withStoredSecrets } from "../../src/settings/stored-secrets.ts";

const stored = settingsSchema.parse({
  host: "smtp.example.net",
  port: 587,
  from: "sender@example.com",
  starttls: true,
  ssl: false,
  user: "ada",
  password: "s3cret",
});
const masked: Settings = { ...stored, password: "**********" };

describe("usesMask", () => {
  it("is true of ten asterisks", () => {
    expect(usesMask(masked)).toBe(true);
  });

  it.each(["*********", "***********", "********** ", "s3cret", undefined])("is false of %j", (password) => {
    expect(usesMask({ ...stored, password })).toBe(false);
  });
});

describe.each(["save", "test"] as const)("withStoredSecrets for a %s", (use) => {
  it("replaces the mask with the stored password", () => {
    expect(withStoredSecrets(masked, stored, use)).toEqual({ settings: stored });
  });

  it("changes neither of the settings", () => {
    const [before, after] = [Object.freeze({ ...masked }), Object.freeze({ ...stored })];
    expect(withStoredSecrets(before, after, use)).toMatchObject({ settings: { password: "s3cret" } });
    expect(before.password).toBe("**********");
  });

  it.each([
    ["host", { host: "smtp.attacker.example" }],
    ["port", { port: 588 }],
    ["user", { user: "eve" }],
    ["user", { user: undefined }],
    ["TLS mode", { ssl: true }],
    ["TLS mode", { starttls: false }],
    ["host, port, user, TLS mode", { host: "h.example", port: 1, user: "eve", ssl: true }],
  ])("rejects another %s", (changed, changes) => {
    expect(withStoredSecrets({ ...masked, ...changes }, stored, use)).toEqual(belongsToAnother(changed));
  });

  it.each([
    ["ssl with starttls instead of ssl", { ssl: true, starttls: false }, { ssl: true, starttls: true }],
    [
      "port 465 without flags instead of ssl",
      { port: 465, ssl: true, starttls: false },
      { port: 465, ssl: false, starttls: false },
    ],
  ])("accepts the same TLS mode in other terms: %s", (_, before, after) => {
    const kept = withStoredSecrets({ ...masked, ...before, ...after }, { ...stored, ...before }, use);
    expect(kept).toMatchObject({ settings: { password: "s3cret" } });
  });

  it.each([
    ["nothing", undefined],
    ["no password", { ...stored, password: undefined }],
  ])("rejects the mask if %s is stored", (_, previous) => {
    expect(withStoredSecrets(masked, previous, use)).toEqual({
      error: { field: "password", message: "is not stored, so it cannot be kept: send it" },
    });
  });
});

describe("the sender of settings", () => {
  const sender = {
    from: "a@example.com",
    fromDisplayName: "A",
    replyTo: "b@example.com",
    replyToDisplayName: "B",
    envelopeFrom: "c@example.com",
  };
  const names = Object.keys(sender) as (keyof typeof sender)[];

  it("may change in a save that keeps the password", () => {
    expect(withStoredSecrets({ ...masked, ...sender, auth: false }, stored, "save")).toEqual({
      settings: { ...stored, ...sender, auth: false },
    });
  });

  it.each(names)("must not change in a test with the stored password: another %s", (name) => {
    const before = { ...stored, ...sender };
    const tested = { ...before, password: "**********", [name]: "eve@example.com" };
    expect(withStoredSecrets(tested, before, "test")).toEqual(belongsToAnother(name));
  });

  it.each(names)("must not change in a test with the stored password: an added %s", (name) => {
    const tested = { ...masked, [name]: sender[name] };
    expect(withStoredSecrets(tested, stored, "test")).toEqual(belongsToAnother(name));
  });

  it.each(names.slice(1))("must not change in a test with the stored password: no %s", (name) => {
    const before = { ...stored, ...sender };
    const tested = { ...before, password: "**********", [name]: undefined };
    expect(withStoredSecrets(tested, before, "test")).toEqual(belongsToAnother(name));
  });

  it("may be the stored one in a test", () => {
    const before = { ...stored, ...sender };
    expect(withStoredSecrets({ ...before, password: "**********" }, before, "test")).toEqual({
      settings: before,
    });
  });
});

function belongsToAnother(changed: string) {
  return { error: { field: "password", message: `must be sent again, as it belongs to another ${changed}` } };
}
