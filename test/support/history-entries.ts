import { env } from "cloudflare:workers";
import fc from "fast-check";
import type { Caller } from "../../src/auth/caller.ts";
import {
  type HistoryEntry,
  type HistoryEvent,
  type TestTarget,
  toHistoryEntry,
} from "../../src/history/event.ts";
import { HistoryStore } from "../../src/history/store.ts";
import { settingsFields } from "../../src/settings/fields.ts";

/** Characters that take more bytes in JSON than they look. */
export const NASTY_CHARACTERS = ['"', "\\", "\u0000", "\u007f", "\u2028", "ÿ", "€", "😀", "\ud800", "\udc00"];

const claim = fc.oneof(
  fc.constant(undefined),
  fc.string({ unit: "binary", maxLength: 255 }),
  fc.string({ unit: "grapheme", maxLength: 255 }),
  fc.string({ unit: fc.constantFrom(...NASTY_CHARACTERS), minLength: 200, maxLength: 255 }),
);

/** Callers with any claims. */
export const historyClaims: fc.Arbitrary<Caller> = fc.record({
  subject: claim,
  username: claim,
  client: claim,
  email: fc.constant(undefined),
  tokenId: fc.constant(undefined),
  application: fc.constant("[]"),
});

/** A caller without claims, except for these. */
export function callerWith(claims: Partial<Caller>): Caller {
  const none = { subject: undefined, username: undefined, client: undefined, email: undefined };
  return { ...none, tokenId: undefined, application: "[]", ...claims };
}

/** The largest target of a test: host and recipient are as long as the fields allow. */
export const largestTarget: TestTarget = {
  host: `${"a.".repeat(120)}mail.example`,
  port: 65_535,
  to: `${"ä".repeat(32)}@${"a.".repeat(88)}example.org`,
  settings: "stored",
};

/** The largest entry of a save by a caller. */
export function largestEntry(caller: Caller, at = new Date()): HistoryEntry {
  return entryOf({ action: "saved", changed: Object.keys(settingsFields) }, caller, at);
}

/** The largest entry of a test by a caller. */
export function largestTestEntry(caller: Caller, test = largestTarget): HistoryEntry {
  return entryOf({ action: "test_refused", test }, caller, new Date());
}

function entryOf(event: HistoryEvent, caller: Caller, at: Date): HistoryEntry {
  return toHistoryEntry(event, { family: "SHIFT", requestId: crypto.randomUUID(), caller }, at);
}

/** Stores entries a minute apart, and returns their request ids, newest first. */
export async function storeEntries(tenant: string, count: number): Promise<string[]> {
  const store = new HistoryStore(env.SMTP_SETTINGS);
  const caller = callerWith({ subject: "ada" });
  const requestIds = Array.from({ length: count }, () => crypto.randomUUID());
  const entries = requestIds.map((requestId, index) => {
    const at = new Date(Date.UTC(2026, 10, 20) + index * 60_000);
    return toHistoryEntry({ action: "deleted" }, { family: "SSMS", requestId, caller }, at);
  });
  await Promise.all(entries.map((entry) => store.append(tenant, entry)));
  return requestIds.reverse();
}
