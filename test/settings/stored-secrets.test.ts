import { describe, expect, it } from "vitest";
import { MASK, SECRET_FIELDS, type SecretField, type Settings } from "../../src/settings/schema.ts";
import { usesMask, withStoredSecrets } from "../../src/settings/stored-secrets.ts";

const common: Settings = {
  ...{ host: "smtp.example.net", port: 587, from: "sender@example.com", starttls: true, ssl: false },
  user: "ada",
};

const token: Settings = {
  ...common,
  ...{ authType: "token", authTokenUrl: "https://login.example.net/token" },
  ...{ authTokenClientId: "client-1", authTokenScope: "smtp" },
};

/** Stored settings, by the only secret that they have. */
const STORED: Record<SecretField, Settings> = {
  password: { ...common, password: "s3cret" },
  authTokenClientSecret: { ...token, authTokenClientSecret: "s3cret" },
  authTokenPrivateKey: { ...token, authTokenPrivateKey: "s3cret" },
};

const uses = ["save", "test"] as const;
const cases = SECRET_FIELDS.flatMap((field) => uses.map((use) => ({ field, use })));

function belongsToAnother(field: SecretField, changed: string) {
  return { error: { field, message: `must be sent again, as it belongs to another ${changed}` } };
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

  it.each<[string, Partial<Settings>]>([
    ["host", { host: "smtp.attacker.example" }],
    ["port", { port: 588 }],
    ["user", { user: "eve" }],
    ["user", { user: undefined }],
    ["TLS mode", { ssl: true }],
    ["TLS mode", { starttls: false }],
    ["host, port, user, TLS mode", { host: "h.example", port: 1, user: "eve", ssl: true }],
  ])("rejects another %s", (changed, changes) => {
    expect(withStoredSecrets({ ...masked, ...changes }, stored, use)).toMatchObject(
      changed.includes(",")
        ? { error: { field, message: expect.stringMatching(/host, port, user, TLS mode$/) } }
        : belongsToAnother(field, changed),
    );
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

const tokenCases = cases.filter(({ field }) => field !== "password");

describe.each(tokenCases)("withStoredSecrets keeps $field for a $use", ({ field, use }) => {
  it.each<[string, Partial<Settings>]>([
    ["authTokenUrl", { authTokenUrl: "https://attacker.example/token" }],
    ["authTokenClientId", { authTokenClientId: "client-2" }],
    ["authTokenScope", { authTokenScope: "other" }],
    ["authTokenScope", { authTokenScope: undefined }],
  ])("rejects another %s", (changed, changes) => {
    const masked = { ...STORED[field], [field]: MASK, ...changes };
    expect(withStoredSecrets(masked, STORED[field], use)).toEqual(belongsToAnother(field, changed));
  });
});

describe("withStoredSecrets", () => {
  it("takes a new secret, wherever it is used", () => {
    const sent = { ...token, authTokenUrl: "https://login.example.org/token", authTokenClientSecret: "new" };
    expect(withStoredSecrets(sent, STORED.authTokenClientSecret, "save")).toEqual({ settings: sent });
  });
});

describe.each(SECRET_FIELDS)("the sender of settings that keep %s", (field) => {
  const stored = STORED[field];
  const sender = {
    from: "a@example.com",
    fromDisplayName: "A",
    replyTo: "b@example.com",
    replyToDisplayName: "B",
    envelopeFrom: "c@example.com",
  };
  const names = Object.keys(sender) as (keyof typeof sender)[];

  it("may change in a save", () => {
    expect(withStoredSecrets({ ...stored, ...sender, auth: false, [field]: MASK }, stored, "save")).toEqual({
      settings: { ...stored, ...sender, auth: false },
    });
  });

  it.each(names)("must not change in a test: another %s", (name) => {
    const before = { ...stored, ...sender };
    const tested = { ...before, [field]: MASK, [name]: "eve@example.com" };
    expect(withStoredSecrets(tested, before, "test")).toEqual(belongsToAnother(field, name));
  });

  it.each(names)("must not change in a test: an added %s", (name) => {
    const tested = { ...stored, [field]: MASK, [name]: sender[name] };
    expect(withStoredSecrets(tested, stored, "test")).toEqual(belongsToAnother(field, name));
  });

  it.each(names.slice(1))("must not change in a test: no %s", (name) => {
    const before = { ...stored, ...sender };
    const tested = { ...before, [field]: MASK, [name]: undefined };
    expect(withStoredSecrets(tested, before, "test")).toEqual(belongsToAnother(field, name));
  });

  it("may be the stored one in a test", () => {
    const before = { ...stored, ...sender };
    expect(withStoredSecrets({ ...before, [field]: MASK }, before, "test")).toEqual({ settings: before });
  });
});
