import { describe, expect, it } from "vitest";
import type { FieldError } from "../../src/errors.ts";
import { invalidFields } from "../../src/http/invalid-fields.ts";
import { lacksMandatoryField, settingsSchema } from "../../src/settings/schema.ts";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const defaults = { ...mandatory, port: 587, starttls: false, ssl: false };

/** What the schema says against a body; nothing where it accepts it. */
function errorsOf(body: unknown): readonly FieldError[] {
  const result = settingsSchema.safeParse(body);
  if (result.success) return [];
  const { refusal } = invalidFields(result.error.issues);
  return refusal.kind === "invalid_fields" ? refusal.errors : [];
}

describe("the settings schema", () => {
  it("fills in the port and the TLS flags", () => {
    expect(settingsSchema.parse(mandatory)).toEqual(defaults);
  });

  it("keeps every field", () => {
    const sent = {
      ...{ ...mandatory, port: 465, starttls: false, ssl: true, auth: true },
      ...{ fromDisplayName: "From", replyTo: "reply@example.com", replyToDisplayName: "Reply" },
      ...{ envelopeFrom: "bounce@example.com", user: "ada", password: "s3cret" },
    };
    expect(settingsSchema.parse(sent)).toEqual(sent);
  });

  it.each([1, "1", 24, 26, 465, "587", 65_535, "65535"])("accepts port %j", (port) => {
    expect(settingsSchema.parse({ ...mandatory, port })).toEqual({ ...defaults, port: Number(port) });
  });

  it.each([
    0,
    "0",
    -1,
    "-1",
    65_536,
    "65536",
    "+587",
    "0587",
    "587.0",
    "5e2",
    "0x24b",
    "587a",
    "５８７",
    "5 87",
  ])("refuses port %j", (port) => {
    expect(errorsOf({ ...mandatory, port })).toEqual([
      { field: "port", message: "must be a whole number from 1 to 65535" },
    ]);
  });

  it.each([587.5, true, [], {}, [587]])("refuses port %j, which is neither string nor integer", (port) => {
    expect(errorsOf({ ...mandatory, port })).toEqual([
      { field: "port", message: "must be a string or an integer" },
    ]);
  });

  it.each(["fromDisplayName", "replyToDisplayName", "user", "replyTo", "envelopeFrom", "password"])(
    "refuses a %s that is not a string",
    (field) => {
      for (const value of [1, true, [], {}, ["a@example.com"]]) {
        expect(errorsOf({ ...mandatory, user: "ada", [field]: value })).toEqual([
          { field, message: "must be a string" },
        ]);
      }
    },
  );

  it.each(["host", "from"])("refuses a %s that is not a string", (field) => {
    for (const value of [1, false, [], {}]) {
      expect(errorsOf({ ...mandatory, [field]: value })).toEqual([{ field, message: "must be a string" }]);
    }
  });

  it.each([
    ["fromDisplayName", 200],
    ["replyToDisplayName", 200],
    ["user", 255],
    ["password", 1024],
  ])("bounds %s to %i characters, an emoji being one", (field, max) => {
    const base = { ...mandatory, user: "ada" };
    expect(settingsSchema.parse({ ...base, [field]: "📧".repeat(max) })).toMatchObject({
      [field]: "📧".repeat(max),
    });
    expect(errorsOf({ ...base, [field]: "x".repeat(max + 1) })).toEqual([
      { field, message: `must have at most ${max} characters` },
    ]);
  });

  it.each(["fromDisplayName", "replyToDisplayName", "user"])(
    "keeps control characters out of %s",
    (field) => {
      for (const character of [
        "\r\n",
        "\n",
        "\r",
        "\0",
        "\t",
        "\x1b",
        "\x7f",
        "\u0085",
        "\u2028",
        "\u2029",
      ]) {
        expect(errorsOf({ ...mandatory, [field]: `a${character}b` })).toEqual([
          { field, message: "must not contain control characters" },
        ]);
      }
    },
  );

  it.each(["\0", "\r", "\n", "\r\n"])("keeps %j out of the password", (character) => {
    const password = `a${character}b`;
    expect(errorsOf({ ...mandatory, user: "ada", password })).toEqual([
      { field: "password", message: "must not contain NUL, CR or LF" },
    ]);
  });

  it.each([" **********", "**********\t"])("takes %j neither for the mask nor for a password", (password) => {
    expect(errorsOf({ ...mandatory, user: "ada", password })).toEqual([
      { field: "password", message: "must be exactly ********** to keep the stored one" },
    ]);
  });

  it.each([" ", "  s3cret  ", "\ts3cret", "pässwörd 🔑", '"quoted"', "\\", "\x01"])(
    "takes the password %j as it is",
    (password) => {
      expect(settingsSchema.parse({ ...mandatory, user: "ada", password })).toMatchObject({ password });
    },
  );

  it.each(["fromDisplayName", "user", "password"])("refuses half a surrogate pair in %s", (field) => {
    expect(errorsOf({ ...mandatory, user: "ada", [field]: "a\ud83d" })).toEqual([
      { field, message: "must be valid Unicode" },
    ]);
  });

  it.each(["replyTo", "envelopeFrom", "from"])("refuses a %s that is not an email address", (field) => {
    expect(errorsOf({ ...mandatory, [field]: "nobody" })).toEqual([
      { field, message: 'must be an email address such as "sender@example.com"' },
    ]);
  });

  it("brings the host into its one form", () => {
    expect(settingsSchema.parse({ ...mandatory, host: " SMTP.Bücher.Example. " })).toMatchObject({
      host: "smtp.xn--bcher-kva.example",
    });
  });

  it("asks for the user of a password", () => {
    expect(errorsOf({ ...mandatory, password: "s3cret", user: " " })).toEqual([
      { field: "user", message: "must accompany password" },
    ]);
  });

  it.each(["__proto__", "constructor", "toString", "hasOwnProperty", "x"])(
    "refuses the unknown field %s, and leaves prototypes alone",
    (name) => {
      const body = JSON.parse(
        `{"host": "h.example", "from": "a@example.com", "${name}": {"polluted": true}}`,
      );
      expect(errorsOf(body)).toEqual([
        {
          field: name,
          message: expect.stringMatching(/^is not a known field; these are: host, port, from, /),
        },
      ]);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );

  it("tells no more than 20 errors of a body that holds thousands", () => {
    const unknown = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`x${index}`, 1]));
    expect(errorsOf({ ...mandatory, ...unknown })).toHaveLength(20);
  });

  it("shortens the name of an unknown field to 64 characters", () => {
    expect(errorsOf({ ...mandatory, ["x".repeat(10_000)]: 1 })).toMatchObject([{ field: "x".repeat(64) }]);
  });

  it("repeats no value that it refuses", () => {
    const secret = "s3cret-in-the-wrong-place";
    const wrong = {
      ...mandatory,
      port: secret,
      starttls: secret,
      replyTo: secret,
      host: `${secret}/`,
      x: secret,
    };
    expect(errorsOf(wrong)).toHaveLength(5);
    expect(JSON.stringify(errorsOf(wrong))).not.toContain(secret);
  });
});

describe("lacksMandatoryField", () => {
  it.each([{}, { host: "h" }, { from: "f" }, { host: "", from: "f" }, { host: " ", from: "f" }])(
    "is true of %j",
    (body) => {
      expect(lacksMandatoryField(body)).toBe(true);
    },
  );

  it.each([null, undefined, "text", 1, true, [], [{ host: "h", from: "f" }]])("is true of %j", (body) => {
    expect(lacksMandatoryField(body)).toBe(true);
  });

  it("is true of a body that only inherits host and from", () => {
    expect(lacksMandatoryField(JSON.parse('{"__proto__": {"host": "h", "from": "f"}}'))).toBe(true);
  });

  it.each([
    { host: "h", from: "f" },
    { host: 1, from: false },
    { host: {}, from: [] },
  ])("is false of %j, which is for the schema to judge", (body) => {
    expect(lacksMandatoryField(body)).toBe(false);
  });
});
