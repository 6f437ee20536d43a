import { describe, expect, it } from "vitest";
import { RefusedError } from "../../src/errors.ts";
import { keepsStoredPassword, withStoredPassword } from "../../src/settings/password-rule.ts";
import { type Settings, settingsSchema } from "../../src/settings/schema.ts";

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

function refusalOf(settings: Settings, kept: Settings | undefined): unknown {
  try {
    return withStoredPassword(settings, kept);
  } catch (error) {
    if (error instanceof RefusedError) return error.refusal;
    throw error;
  }
}

function refusal(message: string): object {
  return { kind: "invalid_fields", errors: [{ field: "password", message }] };
}

describe("keepsStoredPassword", () => {
  it("is true of the ten asterisks", () => {
    expect(keepsStoredPassword(masked)).toBe(true);
  });

  it.each(["*********", "***********", "********** ", "s3cret"])(
    "is false of the password %j",
    (password) => {
      expect(keepsStoredPassword({ ...stored, password })).toBe(false);
    },
  );

  it("is false where there is no password", () => {
    expect(keepsStoredPassword({ ...stored, password: undefined })).toBe(false);
  });
});

describe("withStoredPassword", () => {
  it("puts the stored password in the place of the mask", () => {
    expect(withStoredPassword(masked, stored)).toEqual(stored);
  });

  it("takes every field from the new settings, but for the password", () => {
    const changes = { from: "a@example.com", replyTo: "b@example.com", fromDisplayName: "A", auth: false };
    expect(withStoredPassword({ ...masked, ...changes }, stored)).toEqual({ ...stored, ...changes });
  });

  it("changes neither of its parameters", () => {
    const [before, after] = [Object.freeze({ ...masked }), Object.freeze({ ...stored })];
    expect(withStoredPassword(before, after).password).toBe("s3cret");
    expect(before.password).toBe("**********");
  });

  it.each([
    ["host", { host: "smtp.attacker.example" }],
    ["port", { port: 588 }],
    ["user", { user: "eve" }],
    ["TLS mode", { ssl: true }],
    ["TLS mode", { starttls: false }],
    ["host, port, user, TLS mode", { host: "h.example", port: 1, user: "eve", ssl: true }],
  ])("refuses another %s", (changed, changes) => {
    expect(refusalOf({ ...masked, ...changes }, stored)).toEqual(
      refusal(`must be sent again, as it belongs to another ${changed}`),
    );
  });

  it.each([
    ["ssl with starttls for ssl without", { ssl: true, starttls: false }, { ssl: true, starttls: true }],
    [
      "port 465 without flags for ssl",
      { port: 465, ssl: true, starttls: false },
      { port: 465, ssl: false, starttls: false },
    ],
  ])("allows %s, which is the same TLS mode", (_, before, after) => {
    expect(withStoredPassword({ ...masked, ...before, ...after }, { ...stored, ...before }).password).toBe(
      "s3cret",
    );
  });

  it("refuses where nothing is stored", () => {
    expect(refusalOf(masked, undefined)).toEqual(refusal("is not stored, so it cannot be kept: send it"));
  });

  it("refuses where no password is stored", () => {
    expect(refusalOf(masked, { ...stored, password: undefined })).toEqual(
      refusal("is not stored, so it cannot be kept: send it"),
    );
  });
});
