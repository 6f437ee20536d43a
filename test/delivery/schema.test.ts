import { describe, expect, it } from "vitest";
import { batchSchema, listQuerySchema, mailSchema } from "../../src/delivery/schema.ts";
import { invalidFields } from "../../src/http/validation.ts";

const mail = { to: "ada@example.com", subject: "Your code", text: "123456" };
const parsed = { ...mail, html: undefined, headers: undefined, expiresIn: 86_400 };

/** The errors of an input that a schema must reject. */
function errorsOf(input: unknown, schema: typeof mailSchema | typeof batchSchema = mailSchema) {
  return invalidFields(schema.safeParse(input).error?.issues ?? []).details.errors;
}

describe("the schema of a mail", () => {
  it("needs a recipient, a subject and a body, and lets a mail live for a day", () => {
    expect(mailSchema.parse(mail)).toEqual(parsed);
  });

  it("accepts every field", () => {
    const all = {
      ...mail,
      html: "<p>123456</p>",
      replyTo: "support@example.com",
      headers: {
        "List-Unsubscribe": "<https://example.com/u>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "In-Reply-To": "<1@example.com>",
        References: "<0@example.com> <1@example.com>",
      },
      tag: "login-code",
      expiresIn: 600,
    };
    expect(mailSchema.parse(all)).toEqual(all);
  });

  it.each(["to", "subject"])("requires %s", (field) => {
    for (const value of [undefined, null, "", " "]) {
      expect(errorsOf({ ...mail, [field]: value })).toEqual([{ field, message: "is required" }]);
    }
    expect(errorsOf({ ...mail, [field]: 1 })).toEqual([{ field, message: "must be a string" }]);
  });

  it("requires text or html", () => {
    for (const empty of [undefined, null, ""]) {
      expect(errorsOf({ ...mail, text: empty, html: empty })).toEqual([
        { field: "text", message: "is required, unless html is sent" },
      ]);
    }
    expect(mailSchema.parse({ ...mail, text: null, html: "<p>" })).toMatchObject({ html: "<p>" });
  });

  it.each(["html", "replyTo", "headers", "tag", "expiresIn"])(
    "counts %s as absent if it is null",
    (field) => {
      expect(mailSchema.parse({ ...mail, [field]: null })).toEqual(parsed);
    },
  );

  it("does not trim bodies", () => {
    const bodies = { text: " a \n", html: "\t<p>\n" };
    expect(mailSchema.parse({ ...mail, ...bodies })).toMatchObject(bodies);
  });

  it.each(["from", "cc", "bcc", "envelopeFrom", "attachments", "To"])("has no field %s", (field) => {
    expect(errorsOf({ ...mail, [field]: "eve@example.com" })).toEqual([
      { field, message: expect.stringMatching(/^is not a known field; these are: to, subject, text, /) },
    ]);
  });

  it.each([
    ["to", "ada", "must"],
    ["to", "ada@example.com, eve@example.com", "must"],
    ["to", "ada@example.com\r\nBcc: eve@example.com", "must"],
    ["replyTo", "not an address", "must"],
    ["subject", "a\r\nBcc: eve@example.com", "must not contain control characters"],
    ["subject", "a\u2028b", "must not contain control characters"],
    ["subject", "\ud800", "must be valid Unicode"],
    ["subject", "moc.elpmaxe\u202eb", "must not contain invisible characters"],
    ["subject", "\u200d\u3164", "must not contain invisible characters"],
    ["subject", "\u200d \ufe0f", "must have a visible character"],
    ["subject", "x".repeat(998), "must have at most 997 characters"],
    ["text", "a\0b", "must not contain NUL"],
    ["text", "\udc00", "must be valid Unicode"],
    ["html", "a\0b", "must not contain NUL"],
    ["tag", "a b", "must have at most 64 letters"],
    ["tag", "x".repeat(65), "must have at most 64 letters"],
    ["tag", "ä", "must have at most 64 letters"],
    ["expiresIn", 59, "must be from 60 to 259200 seconds"],
    ["expiresIn", 259_201, "must be from 60 to 259200 seconds"],
    ["expiresIn", 60.5, "must be a whole number"],
    ["expiresIn", "600", "must be a whole number"],
    ["headers", "List-Unsubscribe: x", "must be an object"],
  ])("rejects %s: %j", (field, value, start) => {
    expect(errorsOf({ ...mail, [field]: value })).toEqual([
      { field, message: expect.stringMatching(new RegExp(`^${start}`)) },
    ]);
  });

  it.each([
    ["tag", "a.B_c:d-9"],
    ["tag", "x".repeat(64)],
    ["subject", "Жду 🙂".padEnd(900, "x")],
    ["expiresIn", 60],
    ["expiresIn", 259_200],
  ])("accepts %s: %j", (field, value) => {
    expect(mailSchema.parse({ ...mail, [field]: value })).toMatchObject({ [field]: value });
  });
});

describe("headers of a mail", () => {
  const withHeader = (name: string, value: unknown) => ({
    ...mail,
    headers: { "List-Unsubscribe": "<https://example.com/>", [name]: value },
  });

  it.each(["X-SMTPAPI", "X-Mailgun-Variables", "X-Priority", "Bcc", "Subject", "Sender", "list-unsubscribe"])(
    "do not include %s",
    (name) => {
      expect(errorsOf(withHeader(name, "x"))).toEqual([
        { field: `headers.${name}`, message: expect.stringMatching(/^is not a known field/) },
      ]);
    },
  );

  it.each([
    ["List-Unsubscribe", "<https://a.example/u?x=1>, <https://b.example/>"],
    ["List-Unsubscribe-Post", "List-Unsubscribe=One-Click"],
    ["In-Reply-To", "<a.b-c@example.com>"],
    ["References", "<a@example.com> <b@example.com>"],
  ])("include %s: %s", (name, value) => {
    expect(mailSchema.parse(withHeader(name, value)).headers).toMatchObject({ [name]: value });
  });

  it.each([
    ["List-Unsubscribe", "https://example.com/"],
    ["List-Unsubscribe", "<http://example.com/>"],
    ["List-Unsubscribe", "<mailto:leave@example.com>"],
    ["List-Unsubscribe", "<https://example.com/>, <mailto:leave@example.com>"],
    ["List-Unsubscribe", "<https://example.com/\r\nBcc: eve@example.com>"],
    ["List-Unsubscribe", "<https://ex ample.com/>"],
    ["List-Unsubscribe", `<https://example.com/${"x".repeat(998)}>`],
    ["List-Unsubscribe-Post", "List-Unsubscribe=Two-Clicks"],
    ["In-Reply-To", "1@example.com"],
    ["In-Reply-To", "<1@example.com>\r\nBcc: eve@example.com"],
    ["References", "<a@example.com>,<b@example.com>"],
    ["References", 1],
  ])("do not include %s: %j", (name, value) => {
    expect(errorsOf(withHeader(name, value))).toEqual([
      { field: `headers.${name}`, message: expect.stringMatching(/^must be /) },
    ]);
  });

  it("include List-Unsubscribe-Post only beside List-Unsubscribe (RFC 8058)", () => {
    const headers = { "List-Unsubscribe-Post": "List-Unsubscribe=One-Click" };
    expect(errorsOf({ ...mail, headers })).toEqual([
      { field: "headers.List-Unsubscribe", message: "must accompany List-Unsubscribe-Post" },
    ]);
  });
});

describe("the schema of a batch", () => {
  it("accepts 1 to 100 messages", () => {
    for (const count of [1, 100]) expect(batchSchema.parse(Array(count).fill(mail))).toHaveLength(count);
  });

  it.each([
    [0, "must hold at least one message"],
    [101, "must hold at most 100 messages"],
  ])("rejects %i messages", (count, message) => {
    expect(errorsOf(Array(count).fill(mail), batchSchema)).toEqual([{ field: "body", message }]);
  });

  it("names the mail of each error", () => {
    const messages = [mail, { ...mail, to: "ada" }, { ...mail, headers: { Bcc: "eve@example.com" } }, 4];
    expect(errorsOf(messages, batchSchema).map(({ field }) => field)).toEqual([
      "[1].to",
      "[2].headers.Bcc",
      "[3]",
    ]);
  });
});

describe("the query of a list", () => {
  const id = "01a20ec7-e1df-7000-9c3f-9f047315de87";

  it("lists 50 messages by default", () => {
    expect(listQuerySchema.parse({})).toEqual({ limit: 50 });
  });

  it("accepts every parameter", () => {
    const query = { state: "failed", tag: "any text", limit: "200", cursor: id };
    expect(listQuerySchema.parse(query)).toEqual({ ...query, limit: 200 });
  });

  it.each([
    ...["0", "201", "1.5", "-1", "", "x", "010"].map((limit) => ({ limit })),
    ...["done", "", "Queued"].map((state) => ({ state })),
    ...["", "x", `${id}0`, id.toUpperCase(), "' OR 1=1 --"].map((cursor) => ({ cursor })),
  ])("rejects %j", (query) => {
    expect(listQuerySchema.safeParse(query).success).toBe(false);
  });
});
