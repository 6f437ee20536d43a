import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { invalidFields } from "../../src/http/validation.ts";
import { parseHost } from "../../src/mail/host.ts";
import { toResponse } from "../../src/settings/response.ts";
import { lacksMandatoryField, settingsSchema } from "../../src/settings/schema.ts";
import { withStoredSecrets } from "../../src/settings/stored-secrets.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { acceptableSettings, almostSettings, anyJson } from "../support/arbitraries.ts";
import { families } from "../support/families.ts";
import { saved } from "../support/responses.ts";

type Json = Record<string, unknown>;

/** Each run sends up to six requests. The schema itself gets far more runs. */
const WIRE_RUNS = 30;

/** The response to a read after an accepted request, by the contract and independent of the schema. */
function normalized(sent: Json): Json {
  const text = (name: string) => {
    const value = String(sent[name] ?? "").trim();
    return value === "" ? undefined : value;
  };
  const flag = (name: string) =>
    text(name) === undefined ? undefined : text(name)?.toLowerCase() === "true";
  const number = (name: string) => (text(name) === undefined ? undefined : Number(text(name)));
  const ssl = flag("ssl") ?? false;
  const parsed = parseHost(text("host") ?? "");
  return {
    host: "host" in parsed ? parsed.host : undefined,
    port: text("port") ?? (ssl ? "465" : "587"),
    from: text("from"),
    fromDisplayName: text("fromDisplayName"),
    replyTo: text("replyTo"),
    replyToDisplayName: text("replyToDisplayName"),
    envelopeFrom: text("envelopeFrom"),
    starttls: flag("starttls") ?? false,
    ssl,
    auth: flag("auth"),
    allowutf8: flag("allowutf8"),
    debug: flag("debug"),
    connectionTimeout: number("connectionTimeout"),
    timeout: number("timeout"),
    writeTimeout: number("writeTimeout"),
    user: text("user"),
    password: (sent.password ?? "") === "" ? undefined : "**********",
  };
}

describe("settingsSchema", () => {
  it("rejects any JSON with named fields, or normalizes it", () => {
    const property = fc.property(fc.oneof(anyJson, almostSettings), (body) => {
      const { data, error } = settingsSchema.safeParse(body);
      if (data !== undefined) {
        expect(toResponse(data)).toEqual(normalized(body as Json));
        return;
      }
      const { errors } = invalidFields(error?.issues ?? []).details;
      expect(errors.length).toBeGreaterThan(0);
      for (const { field, message } of errors) expect([typeof field, message]).not.toContain("");
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("accepts all valid settings, and normalizes them", () => {
    const property = fc.property(acceptableSettings, (settings) => {
      const parsed = settingsSchema.parse(settings);
      expect(toResponse(parsed)).toEqual(normalized(settings));
      expect(parsed.password).toBe(settings.password || undefined);
    });
    fc.assert(property, { numRuns: 1_000 });
  });

  it("accepts what a read has returned, without a change", () => {
    const property = fc.property(acceptableSettings, fc.constantFrom("save", "test"), (settings, use) => {
      const stored = settingsSchema.parse(settings);
      const sentBack = settingsSchema.parse(toResponse(stored));
      const kept =
        stored.password === undefined ? { settings: sentBack } : withStoredSecrets(sentBack, stored, use);
      expect(kept).toEqual({ settings: stored });
    });
    fc.assert(property, { numRuns: 500 });
  });
});

describe("lacksMandatoryField", () => {
  it("is true whenever host or from is missing", () => {
    const property = fc.property(
      almostSettings,
      fc.constantFrom("host", "from"),
      fc.constantFrom(undefined, null, "", " \t "),
      (settings, name, nothing) => {
        expect(lacksMandatoryField({ ...settings, [name]: nothing })).toBe(true);
      },
    );
    fc.assert(property, { numRuns: 500 });
  });
});

describe("the settings routes", () => {
  let ada: Administrator;
  beforeAll(async () => {
    ada = await newAdministrator(families[0].address);
  });

  async function settingsRead(): Promise<Json> {
    return ((await ada.read()).body as { settings: Json }).settings;
  }

  /** Sends a body, and asserts that it is saved, or rejected in the envelope without effect. */
  async function expectSavedOrRejected(body: string | Uint8Array): Promise<number> {
    const before = await ada.sealed();
    const response = await ada.send({ body });
    const json = await response.json();
    if (response.status === 200) {
      expect(json).toEqual(saved.body);
      return 200;
    }
    expect(response.status).toBe(400);
    expect(json).toMatchObject({
      status: "BAD_REQUEST",
      subSystem: 8,
      message: expect.stringMatching(/.\.$/s),
    });
    expect(await ada.sealed()).toBe(before);
    return 400;
  }

  it.each<[string, fc.Arbitrary<string | Uint8Array>]>([
    ["bytes", fc.uint8Array({ maxLength: 500 })],
    ["text", fc.string({ unit: "binary", maxLength: 500 })],
    ["JSON", anyJson.map((json) => JSON.stringify(json))],
  ])("save or reject any %s", async (_, bodies) => {
    const property = fc.asyncProperty(bodies, async (body) => void (await expectSavedOrRejected(body)));
    await fc.assert(property, { numRuns: WIRE_RUNS });
  });

  it("save or reject any values in the right fields, and return what was saved", async () => {
    const property = fc.asyncProperty(almostSettings, async (settings) => {
      const status = await expectSavedOrRejected(JSON.stringify(settings));
      if (status === 200) expect(await settingsRead()).toEqual(normalized(settings));
    });
    await fc.assert(property, { numRuns: WIRE_RUNS });
  });

  it("save valid settings, return them, and save them unchanged when they are sent back", async () => {
    const property = fc.asyncProperty(acceptableSettings, async (settings) => {
      expect(await ada.save(settings)).toEqual(saved);
      const [read, opened] = [await ada.read(), await ada.opened()];
      const { settings: returned, ...others } = read.body as { settings: Json };
      expect(returned).toEqual(normalized(settings));
      expect(opened.settings.password).toBe(settings.password || undefined);
      expect(await ada.save(returned)).toEqual(saved);
      const updatedAt = expect.any(String);
      expect(await ada.opened()).toEqual({ ...opened, updatedAt, version: expect.any(String) });
      expect((await ada.read()).body).toEqual({ ...others, settings: returned, updatedAt });
    });
    await fc.assert(property, { numRuns: WIRE_RUNS });
  });
});
