import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHistoryEntry } from "../../src/history/event.ts";
import { historyClaims, largestEntry, NASTY_CHARACTERS } from "../support/history-entries.ts";

/** KV's limit, in bytes. */
const METADATA_MAX_BYTES = 1024;

const AT = new Date("2026-11-20T12:00:00.000Z");
const caller = { subject: "7b7a", username: "ada", client: "admin-cli", email: "ada@example.com" };
const request = { family: "SSMS", requestId: "id-of-the-request", caller } as const;

describe("toHistoryEntry", () => {
  it("names the request, and the caller by three claims", () => {
    expect(toHistoryEntry({ action: "saved", changed: ["from"] }, request, AT)).toEqual({
      at: "2026-11-20T12:00:00.000Z",
      action: "saved",
      family: "SSMS",
      requestId: "id-of-the-request",
      by: { sub: "7b7a", preferred_username: "ada", azp: "admin-cli" },
      changed: ["from"],
    });
  });

  it("leaves out absent claims and unknown changes", () => {
    const anonymous = { subject: undefined, username: undefined, client: "ci", email: undefined };
    const entry = toHistoryEntry({ action: "deleted" }, { ...request, caller: anonymous }, AT);
    expect(entry.by).toEqual({ azp: "ci" });
    expect(entry).not.toHaveProperty("changed");
  });

  it("fits KV's 1,024 bytes of metadata, whatever the claims are", () => {
    const property = fc.property(historyClaims, (claims) => {
      expect(bytesOf(largestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it.each(NASTY_CHARACTERS)("fits them for the longest claims of %j", (character) => {
    const longest = character.repeat(255);
    const claims = { subject: longest, username: longest, client: longest, email: longest };
    expect(bytesOf(largestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
  });

  it("truncates a long claim visibly", () => {
    const claims = { subject: "x".repeat(255), username: "ada", client: undefined, email: undefined };
    expect(largestEntry(claims).by).toEqual({
      sub: expect.stringMatching(/^x{126}…$/),
      preferred_username: "ada",
    });
  });

  it("does not truncate a claim that just fits", () => {
    const claims = { subject: "x".repeat(126), username: undefined, client: undefined, email: undefined };
    expect(largestEntry(claims).by).toEqual({ sub: "x".repeat(126) });
  });

  it("never truncates within a character", () => {
    const claims = { subject: "😀".repeat(60), username: undefined, client: undefined, email: undefined };
    const { sub } = largestEntry(claims).by;
    expect(sub).toMatch(/^(😀)+…$/u);
    expect(sub?.isWellFormed()).toBe(true);
  });
});

function bytesOf(entry: object): number {
  return new TextEncoder().encode(JSON.stringify(entry)).length;
}
