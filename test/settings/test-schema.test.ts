import { describe, expect, it } from "vitest";
import { invalidFields } from "../../src/http/validation.ts";
import { testSchema, verifySchema } from "../../src/settings/schema.ts";

const NOT_AN_ADDRESS = 'must be an email address such as "sender@example.com"';

/** The errors of a body or query that a schema must reject. */
function errorsOf(schema: typeof testSchema | typeof verifySchema, input: unknown) {
  return invalidFields(schema.safeParse(input).error?.issues ?? []).details.errors;
}

describe("testSchema", () => {
  it("returns every field", () => {
    const settings = { host: "smtp.example.net", from: "sender@example.com" };
    expect(testSchema.parse({ to: "grace@example.org", mode: "probe", settings })).toEqual({
      to: "grace@example.org",
      mode: "probe",
      settings: { ...settings, port: 587, starttls: false, ssl: false },
    });
  });

  it.each([{}, { to: null, mode: null, settings: null }, { to: "", mode: "" }])(
    "reads no field from %j",
    (body) => {
      const { to, mode, settings } = testSchema.parse(body);
      expect([to, mode, settings ?? undefined]).toEqual([undefined, undefined, undefined]);
    },
  );

  it.each([
    ["mode", { mode: "prob" }, 'must be "send" or "probe"'],
    ["to", { to: "nobody" }, NOT_AN_ADDRESS],
    ["to", { to: "a@example.com,b@example.com" }, NOT_AN_ADDRESS],
    ["to", { to: ["a@example.com"] }, "must be a string"],
    ["mod", { mod: "probe" }, "is not a known field; these are: to, mode, settings"],
    ["body", null, "must be an object"],
    ["body", [], "must be an object"],
    ["settings", { settings: [] }, "must be an object"],
    [
      "settings.port",
      { settings: { host: "h.example", from: "a@example.com", port: 25 } },
      "must not be 25, which Cloudflare blocks: use 587 or 465",
    ],
    [
      "settings.hots",
      { settings: { host: "h.example", from: "a@example.com", hots: "x" } },
      expect.stringMatching(/^is not a known field; these are: host, port, from, /),
    ],
  ])("names the field %s of %j", (field, body, message) => {
    expect(errorsOf(testSchema, body)).toEqual([{ field, message }]);
  });
});

describe("verifySchema", () => {
  it.each(["true", "TRUE", " true "])("reads true from %j", (verify) => {
    expect(verifySchema.parse({ verify })).toEqual({ verify: true });
  });

  it.each([{ verify: "false" }, { verify: "" }, {}, { other: "true" }])(
    "does not read true from %j",
    (query) => {
      expect(verifySchema.parse(query).verify).not.toBe(true);
    },
  );

  it("rejects any other value", () => {
    for (const verify of ["yes", "1", "on"]) {
      expect(errorsOf(verifySchema, { verify })).toEqual([
        { field: "verify", message: 'must be true, false, "true" or "false"' },
      ]);
    }
  });
});
