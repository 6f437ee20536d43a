import { describe, expect, it } from "vitest";
import { composeMessage } from "../../src/mail/message.ts";
import { MASK, SECRET_FIELDS, type SecretField, settingsFields } from "../../src/settings/fields.ts";
import type { Settings } from "../../src/settings/schema.ts";
import { usesMask, withStoredSecrets } from "../../src/settings/stored-secrets.ts";

const common: Settings = {
  host: "smtp.example.net",
  port: 587,
  from: "sender@example.com",
  starttls: true,
  ssl: false,
  user: "ada",
  fromDisplayName: "Sender",
  replyTo: "reply@example.com",
  replyToDisplayName: "Reply",
  envelopeFrom: "bounce@example.com",
};

const token: Settings = {
  ...common,
  authType: "token",
  authTokenUrl: "https://login.example.net/token",
  authTokenClientId: "client-1",
  authTokenScope: "smtp",
  authTokenGrantType: "urn:ietf:params:oauth:grant-type:jwt-bearer",
};

/** Stored settings, by the only secret that they have. */
const STORED: Record<SecretField, Settings> = {
  password: { ...common, password: "s3cret" },
  authTokenClientSecret: { ...token, authTokenClientSecret: "s3cret" },
  authTokenPrivateKey: { ...token, authTokenPrivateKey: "s3cret" },
};

const uses = ["save", "test"] as const;
const cases = SECRET_FIELDS.flatMap((field) => uses.map((use) => ({ field, use })));

const SERVER = ["host", "port", "user", "ssl", "starttls"];
const TOKEN_ENDPOINT = ["authTokenUrl", "authTokenScope", "authTokenClientId", "authTokenGrantType"];

const FIELDS = (Object.keys(settingsFields) as (keyof Settings)[]).filter(
  (name) => !SECRET_FIELDS.some((secret) => secret === name),
);

/** Other values than the stored ones of fields that are always there. */
const OTHERS: Partial<Settings> = { port: 588, ssl: true, starttls: false, from: "eve@example.com" };

/** The mail of settings, without its date. */
function mailOf(settings: Settings) {
  const content = { to: "ada@example.com", subject: "", text: "", messageId: "<1@example.com>" };
  const { envelope, raw } = composeMessage(settings, content);
  return JSON.stringify([envelope, raw.toString().replace(/^Date: .*$/m, "")]);
}

describe("usesMask", () => {
  it.each(SECRET_FIELDS)("is true of ten asterisks in %s", (field) => {
    expect(usesMask({ ...STORED[field], [field]: "**********" })).toBe(true);
  });

  it.each(["*********", "***********", "********** ", "s3cret", undefined])("is false of %j", (secret) => {
    for (const field of SECRET_FIELDS) expect(usesMask({ ...STORED[field], [field]: secret })).toBe(false);
  });

  it("is false of ten asterisks in any other field", () => {
    expect(usesMask({ ...common, user: MASK, fromDisplayName: MASK, authTokenScope: MASK })).toBe(false);
  });
});

describe.each(cases)("withStoredSecrets keeps $field for a $use", ({ field, use }) => {
  const stored = STORED[field];
  const masked: Settings = { ...stored, [field]: MASK };

  it("replaces the mask with the stored secret", () => {
    expect(withStoredSecrets(masked, stored, use)).toEqual({ settings: stored });
  });

  it("changes neither of the settings", () => {
    const [before, after] = [Object.freeze({ ...masked }), Object.freeze({ ...stored })];
    expect(withStoredSecrets(before, after, use)).toMatchObject({ settings: { [field]: "s3cret" } });
    expect(before[field]).toBe(MASK);
  });

  const destination = field === "password" ? SERVER : [...SERVER, ...TOKEN_ENDPOINT];

  it.each(FIELDS)("asks for the secret again if another %s leads it elsewhere or shows in a test", (name) => {
    const changed = name === "ssl" || name === "starttls" ? "TLS mode" : name;
    for (const value of name in OTHERS ? [OTHERS[name]] : ["other", undefined]) {
      const other: Settings = { ...stored, [name]: value };
      const isGuarded = destination.includes(name) || (use === "test" && mailOf(other) !== mailOf(stored));
      const isChanged = other[name] !== stored[name];
      const expected =
        isGuarded && isChanged
          ? { error: { field, message: `must be sent again after a change of ${changed}` } }
          : { settings: expect.objectContaining({ [field]: "s3cret" }) };
      expect(withStoredSecrets({ ...other, [field]: MASK }, stored, use)).toEqual(expected);
      expect(withStoredSecrets(masked, other, use)).toEqual(expected);
    }
  });

  it("names all that has changed", () => {
    const sent = { ...masked, host: "h.example", port: 1, user: "eve", ssl: true };
    const message = "must be sent again after a change of host, port, user, TLS mode";
    expect(withStoredSecrets(sent, stored, use)).toEqual({ error: { field, message } });
  });

  it("accepts the default grant by its name", () => {
    const { authTokenGrantType: _, ...unnamed } = stored;
    const named = { ...unnamed, authTokenGrantType: "client_credentials" } as const;
    expect(withStoredSecrets({ ...named, [field]: MASK }, unnamed, use)).toEqual({ settings: named });
    expect(withStoredSecrets({ ...unnamed, [field]: MASK }, named, use)).toEqual({ settings: unnamed });
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
    expect(kept).toMatchObject({ settings: { [field]: "s3cret" } });
  });

  it.each([
    ["nothing", undefined],
    ["another kind of secret", STORED[field === "password" ? "authTokenClientSecret" : "password"]],
    ["no secret", { ...stored, [field]: undefined }],
  ])("rejects the mask if %s is stored", (_, previous) => {
    expect(withStoredSecrets(masked, previous, use)).toEqual({
      error: { field, message: "is not stored, so it cannot be kept: send it" },
    });
  });
});

describe("withStoredSecrets", () => {
  it("takes a new secret, wherever it is used", () => {
    const sent = { ...token, authTokenUrl: "https://login.example.org/token", authTokenClientSecret: "new" };
    expect(withStoredSecrets(sent, STORED.authTokenClientSecret, "save")).toEqual({ settings: sent });
  });
});
