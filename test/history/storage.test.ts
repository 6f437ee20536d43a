import { env } from "cloudflare:workers";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { historyEntry } from "../../src/history/entry.ts";
import { HistoryStore } from "../../src/history/store.ts";
import { newAdministrator } from "../support/administrator.ts";
import { FIELDS } from "../support/arbitraries.ts";
import { families } from "../support/families.ts";
import { readHistory } from "../support/history.ts";
import { interceptedKv } from "../support/intercepted-kv.ts";
import { newTenant } from "../support/issuer.ts";
import { sampleSettings } from "../support/samples.ts";

/** KV's own limit, in bytes. */
const METADATA_MAX_BYTES = 1024;

const nasty = ['"', "\\", "\u0000", "\u007f", "\u2028", "ÿ", "€", "😀", "\ud800", "\udc00"];

const claim = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: "binary", maxLength: 255 }),
  fc.string({ unit: "grapheme", maxLength: 255 }),
  fc.string({ unit: fc.constantFrom(...nasty), minLength: 200, maxLength: 255 }),
);

const callers = fc.record({ subject: claim, username: claim, client: claim, email: fc.constant(undefined) });

/** The largest entry that a caller can have. */
function largestEntry(caller: Parameters<typeof historyEntry>[1]["caller"], at = new Date()) {
  const requestId = crypto.randomUUID();
  return historyEntry("test_refused", { family: "SHIFT", requestId, caller }, at, [...FIELDS]);
}

describe("an entry's metadata", () => {
  it("stays within KV's 1024 bytes, whatever the claims are", () => {
    const property = fc.property(callers, (caller) => {
      const json = JSON.stringify(largestEntry(caller));
      expect(new TextEncoder().encode(json).length).toBeLessThanOrEqual(METADATA_MAX_BYTES);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it.each(nasty)("stays within them for the longest claims of %j", (character) => {
    const longest = character.repeat(255);
    const caller = { subject: longest, username: longest, client: longest, email: longest };
    const json = JSON.stringify(largestEntry(caller));
    expect(new TextEncoder().encode(json).length).toBeLessThanOrEqual(METADATA_MAX_BYTES);
  });

  it("comes back from KV as it was written, in any script", async () => {
    const property = fc.asyncProperty(callers, async (caller) => {
      const tenant = newTenant();
      const store = new HistoryStore(env.SMTP_SETTINGS);
      const entry = largestEntry(caller);
      await store.append(tenant, entry);
      expect(await store.page(tenant, 10)).toEqual({ entries: [entry] });
    });
    await fc.assert(property, { numRuns: 50 });
  });

  it("cuts a long claim, and shows that it is cut", () => {
    const long = { subject: "x".repeat(255), username: "ada", client: undefined, email: undefined };
    const { by } = largestEntry(long);
    expect(by).toEqual({ sub: expect.stringMatching(/^x{126}…$/), preferred_username: "ada" });
  });

  it("does not cut within a character", () => {
    const long = { subject: "😀".repeat(60), username: undefined, client: undefined, email: undefined };
    expect(largestEntry(long).by.sub?.isWellFormed()).toBe(true);
  });
});

describe("what lies in KV for an entry", () => {
  it("expires 400 days after it is written", async () => {
    const ada = await newAdministrator(families[0].address);
    const options: unknown[] = [];
    const SMTP_SETTINGS = interceptedKv(env.SMTP_SETTINGS, (operation, key, parameters) => {
      if (operation === "put" && key.startsWith("history:")) options.push(parameters[2]);
    });
    await ada.save(sampleSettings, { env: { SMTP_SETTINGS } });
    expect(options).toEqual([expect.objectContaining({ expirationTtl: 400 * 24 * 60 * 60 })]);
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: `history:${ada.tenant}:` });
    const days = (Number(keys[0]?.expiration) - Date.now() / 1000) / (24 * 60 * 60);
    expect(days).toBeCloseTo(400, 2);
  });

  it("is a key that sorts the newest first, with everything in its metadata and no value", async () => {
    const ada = await newAdministrator(families[0].address);
    const response = await ada.send({ method: "DELETE", env: {} });
    const { keys } = await env.SMTP_SETTINGS.list({ prefix: "history:" });
    const own = keys.filter(({ name }) => name.startsWith(`history:${ada.tenant}:`));
    expect(own).toHaveLength(1);
    const [key] = own;
    const { entries } = await readHistory(ada);
    const countdown = 9_999_999_999_999 - Date.parse(String(entries[0]?.at));
    const requestId = response.headers.get("X-Request-Id");
    expect(key?.name).toBe(`history:${ada.tenant}:${countdown}:${requestId}`);
    expect(key?.metadata).toEqual(entries[0]);
    expect(await env.SMTP_SETTINGS.get(key?.name ?? "")).toBe("");
  });

  it("is two entries for two requests of the same millisecond", async () => {
    const tenant = newTenant();
    const store = new HistoryStore(env.SMTP_SETTINGS);
    const caller = { subject: "ada", username: undefined, client: undefined, email: undefined };
    const at = new Date();
    for (let count = 0; count < 2; count++) await store.append(tenant, largestEntry(caller, at));
    expect((await store.page(tenant, 10)).entries).toHaveLength(2);
  });
});
