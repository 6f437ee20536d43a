import { describe, expect, it } from "vitest";
import { invalidFields } from "../../src/http/validation.ts";
import { lacksMandatoryField, settingsSchema } from "../../src/settings/schema.ts";

const mandatory = { host: "smtp.example.net", from: "sender@example.com" };
const defaults = { ...mandatory, port: 587, starttls: false, ssl: false };

/** The errors of a body that the schema must reject. */
function errorsOf(body: unknown) {
  return invalidFields(settingsSchema.safeParse(body).error?.issues ?? []).details.errors;
}

describe.each(["starttls", "ssl", "auth"])("the flag %s", (flag) => {
  it.each([true, "true", "TRUE", "tRuE", " true "])("is set by %j", (value) => {
    expect(settingsSchema.parse({ ...mandatory, [flag]: value })).toMatchObject({ [flag]: true });
  });

  it.each([false, "false", "FALSE", "fAlSe", " false "])("is cleared by %j", (value) => {
    expect(settingsSchema.parse({ ...mandatory, [flag]: value })).toMatchObject({ [flag]: false });
  });

  it.each(["yes", "1", 1, 0, [], {}])("must not be %j", (value) => {
    expect(errorsOf({ ...mandatory, [flag]: value })).toEqual([
      { field: flag, message: 'must be true, false, "true" or "false"' },
    ]);
  });
});

describe("the port", () => {
  it.each([
    [{ port: 2525 }, 2525],
    [{ port: "2525" }, 2525],
    [{ port: " 2525 " }, 2525],
    [{}, 587],
    [{ starttls: true }, 587],
    [{ ssl: "true" }, 465],
    [{ ssl: true, starttls: true }, 465],
    [{ port: "", ssl: true }, 465],
    [{ port: null }, 587],
    [{ port: 587, ssl: true }, 587],
  ])("of %j is %i", (sent, port) => {
    expect(settingsSchema.parse({ ...mandatory, ...sent })).toMatchObject({ port });
  });

  it.each([25, "25", " 25 "])("must not be %j, which Cloudflare blocks", (port) => {
    expect(errorsOf({ ...mandatory, port })).toEqual([
      { field: "port", message: "must not be 25, which Cloudflare blocks: use 587 or 465" },
    ]);
  });
});

describe("optional fields", () => {
  const optional = [
    "port",
    "fromDisplayName",
    "replyTo",
    "replyToDisplayName",
    "envelopeFrom",
    "starttls",
    "ssl",
    "auth",
    "user",
  ];

  it.each(optional)("count %s as absent if it is null, empty or white space", (field) => {
    for (const empty of [null, undefined, "", "   ", "\t"]) {
      expect(settingsSchema.parse({ ...mandatory, [field]: empty })).toEqual(defaults);
    }
  });

  it.each([null, undefined, ""])("count a password of %j as absent", (password) => {
    expect(settingsSchema.parse({ ...mandatory, user: "ada", password })).toEqual({
      ...defaults,
      user: "ada",
    });
  });
});

describe("strings", () => {
  it("are trimmed, except the password", () => {
    const sent = {
      ...mandatory,
      fromDisplayName: "From",
      replyTo: "reply@example.com",
      replyToDisplayName: "Reply",
      envelopeFrom: "bounce@example.com",
      user: "ada",
      password: "s3cret",
    };
    const padded = Object.entries(sent).map(([name, value]) => [name, ` ${value}\t`]);
    expect(settingsSchema.parse(Object.fromEntries(padded))).toEqual({
      ...defaults,
      ...sent,
      password: " s3cret\t",
    });
  });
});

describe("unknown fields", () => {
  it.each(["hots", "Host", "x", "", "__proto__", "constructor", "toString", "hasOwnProperty"])(
    "are rejected by name, and reach no prototype: %j",
    (name) => {
      const value = '{"polluted": true}';
      const body = JSON.parse(
        `{"host": "h.example", "from": "a@example.com", ${JSON.stringify(name)}: ${value}}`,
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
});

describe("lacksMandatoryField", () => {
  it.each([
    [{ from: mandatory.from }],
    [{ host: mandatory.host }],
    [{ ...mandatory, host: "" }],
    [{ ...mandatory, host: " " }],
    [{ ...mandatory, from: null }],
    [{ ...mandatory, from: " \t" }],
    [{ host: mandatory.host, port: "25", unknown: 1, password: "**********", ssl: "perhaps" }],
    [{ from: "not an address" }],
    [{}],
    [[]],
    [[mandatory]],
    ["smtp.example.net"],
    [""],
    [587],
    [true],
    [null],
    [undefined],
    [JSON.parse('{"__proto__": {"host": "h.example", "from": "a@example.com"}}')],
  ])("is true of %j", (body) => {
    expect(lacksMandatoryField(body)).toBe(true);
  });

  it.each([mandatory, { host: 1, from: false }, { host: {}, from: [] }])(
    "is false of %j, whose values the schema checks",
    (body) => {
      expect(lacksMandatoryField(body)).toBe(false);
    },
  );
});
