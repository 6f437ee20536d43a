import { describe, expect, it } from "vitest";
import { invalidFields } from "../../src/http/validation.ts";
import { settingsSchema } from "../../src/settings/schema.ts";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const defaults = { ...mandatory, port: 587, starttls: false, ssl: false };

/** The errors of a body; none if the schema accepts it. */
function errorsOf(body: unknown) {
  return invalidFields(settingsSchema.safeParse(body).error?.issues ?? []).details.errors;
}

/** Words and emoji with joiners, selectors of variants, and tags: Persian, Sinhala, a family, a heart, a flag. */
const JOINED = [
  "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
  "\u0dc1\u0dca\u200d\u0dbb\u0dd3",
  "👨\u200d👩\u200d👧",
  "❤\ufe0f",
  "🏴\u{e0067}\u{e0062}\u{e0073}\u{e0063}\u{e0074}\u{e007f}",
];

describe("settingsSchema", () => {
  it("adds the default port and TLS flags", () => {
    expect(settingsSchema.parse(mandatory)).toEqual(defaults);
  });

  it("keeps every field", () => {
    const sent = {
      ...mandatory,
      port: 465,
      starttls: false,
      ssl: true,
      auth: true,
      fromDisplayName: "From",
      replyTo: "reply@example.com",
      replyToDisplayName: "Reply",
      envelopeFrom: "bounce@example.com",
      user: "ada",
      password: "s3cret",
      allowutf8: true,
      debug: false,
      connectionTimeout: 1,
      timeout: 2,
      writeTimeout: 3,
    };
    expect(settingsSchema.parse(sent)).toEqual(sent);
  });

  it("normalizes the host", () => {
    expect(settingsSchema.parse({ ...mandatory, host: " SMTP.Bücher.Example. " })).toMatchObject({
      host: "smtp.xn--bcher-kva.example",
    });
  });

  it.each(["smtp.example.net:587", "smtp://smtp.example.net", "smtp example.net"])(
    "rejects the host %j",
    (host) => {
      expect(errorsOf({ ...mandatory, host })).toEqual([
        { field: "host", message: expect.stringMatching(/^must /) },
      ]);
    },
  );

  it.each(["replyTo", "envelopeFrom", "from"])("rejects a %s that is not an email address", (field) => {
    expect(errorsOf({ ...mandatory, [field]: "nobody" })).toEqual([
      { field, message: 'must be an email address such as "sender@example.com"' },
    ]);
  });

  it("rejects a password without a user", () => {
    expect(errorsOf({ ...mandatory, password: "s3cret", user: " " })).toEqual([
      { field: "user", message: "must accompany password" },
    ]);
  });
});

describe.each(["connectionTimeout", "timeout", "writeTimeout"])("%s", (name) => {
  it.each([0, "0", 1, "10000", 10_000, " 5000 ", 2_147_483_647, "2147483647"])("accepts %j", (value) => {
    expect(settingsSchema.parse({ ...mandatory, [name]: value })).toEqual({
      ...defaults,
      [name]: Number(value),
    });
  });

  it.each(["", null])("counts %j as absent", (value) => {
    expect(settingsSchema.parse({ ...mandatory, [name]: value })).toEqual(defaults);
  });

  it.each([-1, "-1", "1.5", "1e3", "0x10", "10s", 2_147_483_648, "99999999999"])("rejects %j", (value) => {
    expect(errorsOf({ ...mandatory, [name]: value })).toEqual([
      { field: name, message: "must be a whole number from 0 to 2147483647" },
    ]);
  });

  it.each([1.5, true, [], {}])("rejects %j, which is neither a string nor an integer", (value) => {
    expect(errorsOf({ ...mandatory, [name]: value })).toEqual([
      { field: name, message: "must be a string or an integer" },
    ]);
  });
});

describe("port", () => {
  it.each([1, "1", 24, 26, 465, "587", 65_535, "65535"])("accepts %j", (port) => {
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
  ])("rejects %j", (port) => {
    expect(errorsOf({ ...mandatory, port })).toEqual([
      { field: "port", message: "must be a whole number from 1 to 65535" },
    ]);
  });

  it.each([587.5, true, [], {}, [587]])("rejects %j, which is neither a string nor an integer", (port) => {
    expect(errorsOf({ ...mandatory, port })).toEqual([
      { field: "port", message: "must be a string or an integer" },
    ]);
  });
});

describe("text", () => {
  it.each(["fromDisplayName", "replyToDisplayName", "user", "replyTo", "envelopeFrom", "password"])(
    "must be a string in %s",
    (field) => {
      for (const value of [1, true, [], {}, ["a@example.com"]]) {
        expect(errorsOf({ ...mandatory, user: "ada", [field]: value })).toEqual([
          { field, message: "must be a string" },
        ]);
      }
    },
  );

  it.each(["host", "from"])("must be a string in %s, even if it is falsy", (field) => {
    for (const value of [1, 0, false, [], {}]) {
      expect(errorsOf({ ...mandatory, [field]: value })).toEqual([{ field, message: "must be a string" }]);
    }
  });

  it.each([
    ["fromDisplayName", 200],
    ["replyToDisplayName", 200],
    ["user", 255],
    ["password", 1024],
  ])("in %s has at most %i characters, counted as code points", (field, max) => {
    const base = { ...mandatory, user: "ada" };
    expect(settingsSchema.parse({ ...base, [field]: "📧".repeat(max) })).toMatchObject({
      [field]: "📧".repeat(max),
    });
    expect(errorsOf({ ...base, [field]: "x".repeat(max + 1) })).toEqual([
      { field, message: `must have at most ${max} characters` },
    ]);
  });

  it.each(["fromDisplayName", "replyToDisplayName", "user"])(
    "in %s must not contain control characters",
    (field) => {
      const lineBreaks = ["\r\n", "\n", "\r", "\u0085", "\u2028", "\u2029"];
      for (const character of [...lineBreaks, "\0", "\t", "\x1b", "\x7f"]) {
        expect(errorsOf({ ...mandatory, [field]: `a${character}b` })).toEqual([
          { field, message: "must not contain control characters" },
        ]);
      }
    },
  );

  it.each(["fromDisplayName", "replyToDisplayName"])(
    "in %s must not contain invisible format characters",
    (field) => {
      const bidirectional = ["\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"];
      const others = ["\u00ad", "\u200b", "\u2060", "\u3164", "\ufeff", "\ufffa", "\u{e0041}"];
      for (const character of [...bidirectional, ...others]) {
        expect(errorsOf({ ...mandatory, [field]: `moc.elpmaxe${character}b` })).toEqual([
          { field, message: "must not contain invisible characters" },
        ]);
      }
    },
  );

  it.each(["fromDisplayName", "replyToDisplayName"])("in %s must have a visible character", (field) => {
    for (const name of ["\u200d", "\ufe0f", "\u200c \u200c", "\u2800\u2800"]) {
      expect(errorsOf({ ...mandatory, [field]: name })).toEqual([
        { field, message: "must have a visible character" },
      ]);
    }
  });

  it.each(["fromDisplayName", "replyToDisplayName"])("in %s may be in any script", (field) => {
    for (const name of ["Zoë", "שלום", "مرحبا", "株式会社", "नमस्ते", "Tea 🍵", "\u0600\u0661", ...JOINED]) {
      expect(settingsSchema.parse({ ...mandatory, [field]: name })).toMatchObject({ [field]: name });
    }
  });

  it.each(["fromDisplayName", "user", "password"])(
    "in %s must not contain half a surrogate pair",
    (field) => {
      expect(errorsOf({ ...mandatory, user: "ada", [field]: "a\ud83d" })).toEqual([
        { field, message: "must be valid Unicode" },
      ]);
    },
  );
});

describe("password", () => {
  const withPassword = (password: string) => ({ ...mandatory, user: "ada", password });

  it.each([" ", "  s3cret  ", "\ts3cret", "pässwörd 🔑", '"quoted"', "\\", "\x01", "**********"])(
    "keeps %j unchanged",
    (password) => {
      expect(settingsSchema.parse(withPassword(password))).toMatchObject({ password });
    },
  );

  it.each(["\0", "\r", "\n", "\r\n"])("must not contain %j", (character) => {
    expect(errorsOf(withPassword(`a${character}b`))).toEqual([
      { field: "password", message: "must not contain NUL, CR or LF" },
    ]);
  });

  it.each([" **********", "**********\t"])("rejects %j, which is not exactly the mask", (password) => {
    expect(errorsOf(withPassword(password))).toEqual([
      { field: "password", message: "must be exactly ********** to keep the stored one" },
    ]);
  });
});

describe("the errors of settingsSchema", () => {
  it("number at most 20", () => {
    const unknown = Object.fromEntries(Array.from({ length: 2000 }, (_, index) => [`x${index}`, 1]));
    expect(errorsOf({ ...mandatory, ...unknown })).toHaveLength(20);
  });

  it("shorten the name of an unknown field to 64 characters", () => {
    expect(errorsOf({ ...mandatory, ["x".repeat(10_000)]: 1 })).toMatchObject([{ field: "x".repeat(64) }]);
  });

  it("never repeat a value", () => {
    const secret = "s3cret-in-the-wrong-place";
    const wrong = {
      ...mandatory,
      host: `${secret}/`,
      port: secret,
      starttls: secret,
      replyTo: secret,
      x: secret,
    };
    expect(errorsOf(wrong)).toHaveLength(5);
    expect(JSON.stringify(errorsOf(wrong))).not.toContain(secret);
  });
});
