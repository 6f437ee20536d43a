import { describe, expect, it } from "vitest";
import { invalidFields } from "../../src/http/validation.ts";
import { toResponse, warningsFor } from "../../src/settings/response.ts";
import { settingsSchema } from "../../src/settings/schema.ts";

const MASK = "**********";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const defaults = { ...mandatory, port: 587, starttls: false, ssl: false };
const token = {
  authType: "token",
  user: "ada@example.com",
  authTokenUrl: "https://login.example.net/token",
  authTokenClientId: "client-1",
  authTokenClientSecret: "s3cret",
};
const { authTokenClientSecret: _, ...withoutSecret } = token;
const JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/** The errors of a body; none if the schema accepts it. */
function errorsOf(body: object) {
  return invalidFields(settingsSchema.safeParse({ ...mandatory, ...body }).error?.issues ?? []).details
    .errors;
}

describe("settingsSchema with authType token", () => {
  it.each([
    ["a client secret", { ...token, authTokenScope: "a b", authTokenGrantType: "client_credentials" }],
    ["a private key", { ...withoutSecret, authTokenPrivateKey: "a key" }],
    [
      "a JWT bearer grant",
      { ...withoutSecret, authTokenPrivateKey: "a key", authTokenGrantType: JWT_BEARER },
    ],
  ])("keeps every field of %s", (_, sent) => {
    expect(settingsSchema.parse({ ...mandatory, ...sent })).toEqual({ ...defaults, ...sent });
  });

  it("accepts what Keycloak's console sends, with the mask of the password that it leaves there", () => {
    const sent = {
      ...token,
      auth: "true",
      password: MASK,
      authTokenScope: "https://outlook.office.com/.default",
    };
    const { password: __, ...kept } = sent;
    expect(settingsSchema.parse({ ...mandatory, ...sent })).toEqual({ ...defaults, ...kept, auth: true });
  });

  it.each([
    ["user", { user: "" }, "is required with authType token"],
    ["authTokenUrl", { authTokenUrl: null }, "is required with authType token"],
    ["authTokenClientId", { authTokenClientId: " " }, "is required with authType token"],
    ["password", { password: "new" }, "must be absent with authType token"],
    [
      "authTokenClientSecret",
      { authTokenClientSecret: "" },
      "is required with authType token, unless authTokenPrivateKey is sent",
    ],
    [
      "authTokenPrivateKey",
      { authTokenPrivateKey: "a key" },
      "must not accompany authTokenClientSecret: send one of them",
    ],
    [
      "authTokenPrivateKey",
      { authTokenPrivateKey: MASK },
      "must not accompany authTokenClientSecret: send one of them",
    ],
    [
      "authTokenPrivateKey",
      { authTokenGrantType: JWT_BEARER },
      "is required with this authTokenGrantType, in place of authTokenClientSecret",
    ],
  ])("rejects %s: %j", (field, changes, message) => {
    expect(errorsOf({ ...token, ...changes })).toEqual([{ field, message }]);
  });

  it("names all fields that are missing at once", () => {
    expect(errorsOf({ authType: "token" }).map(({ field }) => field)).toEqual([
      "user",
      "authTokenUrl",
      "authTokenClientId",
      "authTokenClientSecret",
    ]);
  });

  it.each(["authTokenClientSecret", "authTokenPrivateKey"])("keeps the mask in %s", (field) => {
    const sent = { ...mandatory, ...withoutSecret, [field]: MASK };
    expect(settingsSchema.parse(sent)).toMatchObject({ [field]: MASK });
  });
});

describe.each([undefined, "basic", "", null])("settingsSchema with authType %j", (authType) => {
  it.each(["authTokenClientSecret", "authTokenPrivateKey"])("rejects a new %s", (field) => {
    expect(errorsOf({ authType, [field]: "s3cret" })).toEqual([
      { field, message: "requires authType token" },
    ]);
  });

  it.each(["authTokenClientSecret", "authTokenPrivateKey"])("ignores the mask in %s", (field) => {
    const settings = settingsSchema.parse({ ...mandatory, authType, [field]: MASK });
    expect(settings).toEqual({ ...defaults, ...(authType === "basic" ? { authType } : {}) });
    expect(JSON.stringify(toResponse(settings))).not.toContain(field);
  });

  it("keeps user and password, and token fields that are no secret, with a warning", () => {
    const basic = { ...mandatory, starttls: true, user: "ada", password: "s3cret" };
    const { authTokenUrl } = token;
    const settings = settingsSchema.parse({ ...basic, authType, authTokenUrl, authTokenScope: "a" });
    expect(settings).toMatchObject({ ...basic, authTokenUrl, authTokenScope: "a" });
    expect(warningsFor(settings)).toEqual([
      "authType is not token: the fields whose names begin with authToken are not used.",
    ]);
  });

  it("keeps the mask of the password", () => {
    const sent = { ...mandatory, authType, user: "ada", password: MASK };
    expect(settingsSchema.parse(sent)).toMatchObject({ password: MASK });
  });
});

describe("authType", () => {
  it.each(["Token", "oauth", "none"])("rejects %j", (authType) => {
    expect(errorsOf({ authType })).toEqual([{ field: "authType", message: "must be basic or token" }]);
  });
});

describe("authTokenGrantType", () => {
  it.each(["password", "authorization_code", "CLIENT_CREDENTIALS"])("rejects %j", (authTokenGrantType) => {
    expect(errorsOf({ ...token, authTokenGrantType })).toContainEqual({
      field: "authTokenGrantType",
      message: `must be client_credentials or ${JWT_BEARER}`,
    });
  });
});

describe("authTokenUrl", () => {
  it.each([
    ["https://login.example.net/token", "https://login.example.net/token"],
    [" https://LOGIN.example.net:443/token?a=b ", "https://login.example.net/token?a=b"],
    ["https://bücher.example/token", "https://xn--bcher-kva.example/token"],
    ["https://0x7f.1/token", "https://127.0.0.1/token"],
  ])("turns %j into %j", (authTokenUrl, normalized) => {
    expect(settingsSchema.parse({ ...mandatory, ...token, authTokenUrl })).toMatchObject({
      authTokenUrl: normalized,
    });
  });

  it.each([
    "http://login.example.net/token",
    "login.example.net/token",
    "//login.example.net/token",
    "https://",
    "https://user@login.example.net/token",
    "https://:s3cret@login.example.net/token",
    "https://login.example.net/token#fragment",
    "ftp://login.example.net/token",
    "javascript:alert(1)",
  ])("rejects %j", (authTokenUrl) => {
    expect(errorsOf({ ...token, authTokenUrl })).toContainEqual({
      field: "authTokenUrl",
      message: "must be an https address without user, password or fragment",
    });
  });
});

it("authTokenUrl has its maximum length once it is percent-encoded", () => {
  const authTokenUrl = `https://login.example.net/${"é".repeat(500)}`;
  expect(errorsOf({ ...token, authTokenUrl })).toContainEqual({
    field: "authTokenUrl",
    message: "must have at most 2048 characters",
  });
});

describe("text of token fields", () => {
  const fields = [
    ["authTokenUrl", 2_048],
    ["authTokenScope", 2_048],
    ["authTokenClientId", 255],
    ["authTokenClientSecret", 1_024],
    ["authTokenPrivateKey", 8_192],
  ] as const;

  it.each(fields)("in %s has at most %i characters", (field, max) => {
    const textOf = (length: number) =>
      field === "authTokenUrl" ? `https://login.example.net/`.padEnd(length, "x") : "x".repeat(length);
    const settings = field === "authTokenPrivateKey" ? withoutSecret : token;
    expect(errorsOf({ ...settings, [field]: textOf(max) })).toEqual([]);
    expect(errorsOf({ ...settings, [field]: textOf(max + 1) })).toContainEqual({
      field,
      message: `must have at most ${max} characters`,
    });
  });

  it.each([...fields.map(([field]) => field), "authType", "authTokenGrantType"])(
    "must be a string in %s",
    (field) => {
      for (const value of [1, true, [], {}]) {
        expect(errorsOf({ ...token, [field]: value })).toContainEqual({ field, message: "must be a string" });
      }
    },
  );

  it.each(["authTokenScope", "authTokenClientId"])("must not contain control characters in %s", (field) => {
    expect(errorsOf({ ...token, [field]: "a\r\nb" })).toContainEqual({
      field,
      message: "must not contain control characters",
    });
  });

  it("is kept as it is in authTokenClientSecret, white space included", () => {
    const authTokenClientSecret = "  s3cret ~+/&= ";
    expect(settingsSchema.parse({ ...mandatory, ...token, authTokenClientSecret })).toMatchObject({
      authTokenClientSecret,
    });
  });

  it.each([" **********", "**********\t"])(
    "must be exactly the mask in authTokenClientSecret: %j",
    (secret) => {
      expect(errorsOf({ ...token, authTokenClientSecret: secret })).toContainEqual({
        field: "authTokenClientSecret",
        message: "must be exactly ********** to keep the stored one",
      });
    },
  );

  it("is never repeated in an error", () => {
    const secret = "s3cret-in-the-wrong-place";
    const errors = errorsOf({ authType: secret, authTokenUrl: secret, authTokenGrantType: secret });
    expect(errors).toHaveLength(3);
    expect(JSON.stringify(errors)).not.toContain(secret);
  });
});

describe("the response to a read", () => {
  it.each(["authTokenClientSecret", "authTokenPrivateKey"])("masks %s", (field) => {
    const settings = settingsSchema.parse({ ...mandatory, ...withoutSecret, [field]: "s3cret" });
    expect(toResponse(settings)).toEqual({ ...defaults, ...withoutSecret, port: "587", [field]: MASK });
  });

  it("has no warning for a token without a password", () => {
    const settings = settingsSchema.parse({ ...mandatory, ...token, starttls: true });
    expect(warningsFor(settings)).toEqual([]);
  });

  it("warns of a token that is not used", () => {
    const settings = settingsSchema.parse({ ...mandatory, ...token, starttls: true, auth: false });
    expect(warningsFor(settings)).toEqual(["auth is false: user and access token are not used."]);
  });
});
