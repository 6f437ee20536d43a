import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { parseHost } from "../../src/smtp/host.ts";
import { type Administrator, newAdministrator } from "../support/administrator.ts";
import { mandatoryMissing, saved } from "../support/answers.ts";
import { acceptableSettings, almostSettings, anyJson } from "../support/arbitraries.ts";
import { families } from "../support/families.ts";

type Json = Record<string, unknown>;

/** What reading has to give of a request that was accepted, written down anew from the contract. */
function normalised(sent: Json): Json {
  const text = (name: string) => {
    const value = String(sent[name] ?? "").trim();
    return value === "" ? undefined : value;
  };
  const flag = (name: string) =>
    text(name) === undefined ? undefined : text(name)?.toLowerCase() === "true";
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
    user: text("user"),
    password: (sent.password ?? "") === "" ? undefined : "**********",
  };
}

describe("for every request", () => {
  let ada: Administrator;
  beforeAll(async () => {
    ada = await newAdministrator(families[0].address);
  });

  async function settingsRead(): Promise<Json> {
    return ((await ada.read()).body as { settings: Json }).settings;
  }

  /** Sends a body, and makes sure that it is accepted, or refused in the right form without any effect. */
  async function expectOrderly(body: string | Uint8Array): Promise<number> {
    const before = await ada.sealed();
    const response = await ada.send({ body });
    const told = await response.json();
    if (response.status === 200) {
      expect(told).toEqual(saved.body);
      return 200;
    }
    expect(response.status).toBe(400);
    expect(told).toMatchObject({
      status: "BAD_REQUEST",
      subSystem: 8,
      message: expect.stringMatching(/.\.$/s),
    });
    expect(await ada.sealed()).toBe(before);
    return 400;
  }

  it("any bytes are answered in an orderly way", async () => {
    const anyBytes = fc.uint8Array({ maxLength: 500 });
    await fc.assert(fc.asyncProperty(anyBytes, async (bytes) => void (await expectOrderly(bytes))));
  });

  it("any text is answered in an orderly way", async () => {
    const anyText = fc.string({ unit: "binary", maxLength: 500 });
    await fc.assert(fc.asyncProperty(anyText, async (text) => void (await expectOrderly(text))));
  });

  it("any JSON is answered in an orderly way", async () => {
    const property = fc.asyncProperty(
      anyJson,
      async (json) => void (await expectOrderly(JSON.stringify(json))),
    );
    await fc.assert(property);
  });

  it("anything in the right fields is answered in an orderly way, and reads back if it was accepted", async () => {
    const property = fc.asyncProperty(almostSettings, async (settings) => {
      const status = await expectOrderly(JSON.stringify(settings));
      if (status === 200) expect(await settingsRead()).toEqual(normalised(settings));
    });
    await fc.assert(property, { numRuns: 200 });
  });

  it("a missing host or from is told, whatever else there is", async () => {
    const property = fc.asyncProperty(
      almostSettings,
      fc.constantFrom("host", "from"),
      fc.constantFrom(undefined, null, "", " \t "),
      async (settings, name, nothing) => {
        expect(await ada.save({ ...settings, [name]: nothing })).toEqual(mandatoryMissing);
      },
    );
    await fc.assert(property);
  });

  it("what the contract allows is accepted, and reads back as the contract normalises it", async () => {
    const property = fc.asyncProperty(acceptableSettings, async (settings) => {
      expect(await ada.save(settings)).toEqual(saved);
      expect(await settingsRead()).toEqual(normalised(settings));
      expect((await ada.opened()).settings.password).toBe(settings.password || undefined);
    });
    await fc.assert(property);
  });

  it("what was read can be sent back, and changes nothing but time and version", async () => {
    const property = fc.asyncProperty(acceptableSettings, async (settings) => {
      expect(await ada.save(settings)).toEqual(saved);
      const [read, opened] = [await ada.read(), await ada.opened()];
      const { settings: view, ...others } = read.body as { settings: Json };
      expect(await ada.save(view)).toEqual(saved);
      const updatedAt = expect.any(String);
      expect(await ada.opened()).toEqual({ ...opened, updatedAt, version: expect.any(String) });
      expect((await ada.read()).body).toEqual({ ...others, settings: view, updatedAt });
    });
    await fc.assert(property);
  });
});
