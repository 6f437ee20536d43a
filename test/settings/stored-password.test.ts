import { describe, expect, it } from "vitest";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";
import { usesMaskedPassword, withStoredPassword } from "../../src/settings/stored-password.ts";

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

describe("usesMaskedPassword", () => {
  it("is true of ten asterisks", () => {
    expect(usesMaskedPassword(masked)).toBe(true);
  });

  it.each(["*********", "***********", "********** ", "s3cret", undefined])("is false of %j", (password) => {
    expect(usesMaskedPassword({ ...stored, password })).toBe(false);
  });
});

describe("withStoredPassword", () => {
  it("replaces the mask with the stored password", () => {
    expect(withStoredPassword(masked, stored)).toEqual({ settings: stored });
  });

  it("keeps every other field of the new settings", () => {
    const changes = { from: "a@example.com", replyTo: "b@example.com", fromDisplayName: "A", auth: false };
    expect(withStoredPassword({ ...masked, ...changes }, stored)).toEqual({
      settings: { ...stored, ...changes },
    });
  });

  it("changes neither of its parameters", () => {
    const [before, after] = [Object.freeze({ ...masked }), Object.freeze({ ...stored })];
    expect(withStoredPassword(before, after)).toMatchObject({ settings: { password: "s3cret" } });
    expect(before.password).toBe("**********");
  });

  it.each([
    ["host", { host: "smtp.attacker.example" }],
    ["port", { port: 588 }],
    ["user", { user: "eve" }],
    ["TLS mode", { ssl: true }],
    ["TLS mode", { starttls: false }],
    ["host, port, user, TLS mode", { host: "h.example", port: 1, user: "eve", ssl: true }],
  ])("rejects another %s", (changed, changes) => {
    expect(withStoredPassword({ ...masked, ...changes }, stored)).toEqual({
      error: { field: "password", message: `must be sent again, as it belongs to another ${changed}` },
    });
  });

  it.each([
    ["ssl with starttls instead of ssl", { ssl: true, starttls: false }, { ssl: true, starttls: true }],
    [
      "port 465 without flags instead of ssl",
      { port: 465, ssl: true, starttls: false },
      { port: 465, ssl: false, starttls: false },
    ],
  ])("accepts the same TLS mode in other terms: %s", (_, before, after) => {
    expect(withStoredPassword({ ...masked, ...before, ...after }, { ...stored, ...before })).toMatchObject({
      settings: { password: "s3cret" },
    });
  });

  it.each([
    ["nothing", undefined],
    ["no password", { ...stored, password: undefined }],
  ])("rejects the mask if %s is stored", (_, previous) => {
    expect(withStoredPassword(masked, previous)).toEqual({
      error: { field: "password", message: "is not stored, so it cannot be kept: send it" },
    });
  });
});
