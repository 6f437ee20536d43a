import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { toHistoryEntry, truncateTarget } from "../../src/history/event.ts";
import { emailAddressProblem } from "../../src/mail/address.ts";
import { parseHost } from "../../src/mail/host.ts";
import {
  callerWith,
  historyClaims,
  largestEntry,
  largestTarget,
  largestTestEntry,
  NASTY_CHARACTERS,
} from "../support/history-entries.ts";

/** KV's limit, in bytes. */
const METADATA_MAX_BYTES = 1024;

const AT = new Date("2026-11-20T12:00:00.000Z");
const caller = {
  subject: "7b7a",
  username: "ada",
  client: "admin-cli",
  email: "ada@example.com",
  tokenId: "token-1",
  application: "[]",
};
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
    const anonymous = callerWith({ client: "ci" });
    const entry = toHistoryEntry({ action: "deleted" }, { ...request, caller: anonymous }, AT);
    expect(entry.by).toEqual({ azp: "ci" });
    expect(entry).not.toHaveProperty("changed");
  });

  it("fits KV's 1,024 bytes of metadata, whatever the claims are", () => {
    const property = fc.property(historyClaims, (claims) => {
      expect(bytesOf(largestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
      expect(bytesOf(largestTestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it.each(NASTY_CHARACTERS)("fits them for the longest claims of %j", (character) => {
    const longest = character.repeat(255);
    const claims = callerWith({ subject: longest, username: longest, client: longest });
    expect(bytesOf(largestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
    expect(bytesOf(largestTestEntry(claims))).toBeLessThanOrEqual(METADATA_MAX_BYTES);
  });

  it("truncates a long claim visibly", () => {
    const claims = callerWith({ subject: "x".repeat(255), username: "ada" });
    expect(largestEntry(claims).by).toEqual({
      sub: expect.stringMatching(/^x{126}…$/),
      preferred_username: "ada",
    });
  });

  it("does not truncate a claim that just fits", () => {
    const claims = callerWith({ subject: "x".repeat(126) });
    expect(largestEntry(claims).by).toEqual({ sub: "x".repeat(126) });
  });

  it("never truncates within a character", () => {
    const claims = callerWith({ subject: "😀".repeat(60) });
    const { sub } = largestEntry(claims).by;
    expect(sub).toMatch(/^(😀)+…$/u);
    expect(sub?.isWellFormed()).toBe(true);
  });
});

describe("the test of an entry", () => {
  const target = { host: "smtp.example.net", port: 587, to: "ada@example.com", settings: "sent" } as const;

  it("names host, port, recipient, and whose settings they were", () => {
    expect(toHistoryEntry({ action: "tested", test: target }, request, AT).test).toEqual(target);
  });

  it("has no recipient if no mail was sent", () => {
    const { to: _, ...probed } = target;
    expect(toHistoryEntry({ action: "tested", test: probed }, request, AT).test).toEqual(probed);
  });

  it("is absent from other entries", () => {
    expect(toHistoryEntry({ action: "deleted" }, request, AT)).not.toHaveProperty("test");
  });

  it("keeps the end of a long host and recipient, which names the domain's owner", () => {
    const { host, to, ...others } = truncateTarget(largestTarget);
    expect(host).toMatch(/^…[a.]{114}mail\.example$/);
    expect(to).toMatch(/^…[a.]{115}example\.org$/);
    expect(others).toEqual({ port: 65_535, settings: "stored" });
  });

  it("does not truncate a host that just fits", () => {
    const host = `${"a.".repeat(57)}mail.example`;
    expect(truncateTarget({ ...target, host })).toEqual({ ...target, host });
  });

  it("fits KV's 1,024 bytes of metadata with the longest valid host and recipient", () => {
    expect(parseHost(largestTarget.host)).toEqual({ host: largestTarget.host });
    expect(emailAddressProblem(largestTarget.to ?? "")).toBeUndefined();
    const property = fc.property(historyClaims, fc.constantFrom("ä", "漢", "𐍈", "a"), (claims, letter) => {
      const to = `${letter.repeat(200)}@example.com`;
      const entry = largestTestEntry(claims, { ...largestTarget, to });
      expect(bytesOf(entry)).toBeLessThanOrEqual(METADATA_MAX_BYTES);
    });
    fc.assert(property, { numRuns: 200 });
  });
});

function bytesOf(entry: object): number {
  return new TextEncoder().encode(JSON.stringify(entry)).length;
}
