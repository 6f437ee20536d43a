import type { Caller } from "../auth/caller.ts";
import type { Family } from "../context.ts";
import { defined } from "../defined.ts";

/** Actions on a tenant's settings. `test_refused`: the SMTP server rejected the settings. */
export const ACTIONS = ["saved", "deleted", "tested", "test_refused"] as const;

/** Origins of the settings in a test. */
export const TESTED_SETTINGS = ["stored", "sent"] as const;

/** What a test contacted. Never holds the user or password: they may be guesses. */
export interface TestTarget {
  host: string;
  port: number;
  /** Recipient of the test mail; absent if none was sent. */
  to?: string;
  /** Whether the settings were stored, or sent with the request. */
  settings: (typeof TESTED_SETTINGS)[number];
}

/** What happened to a tenant's settings. An entry has room for the fields or for the test, not for both. */
export type HistoryEvent =
  /** `changed`: names of the changed fields; `undefined` if the previous settings were unreadable. */
  | { action: "saved"; changed: string[] | undefined }
  | { action: "deleted" }
  | { action: "tested" | "test_refused"; test: TestTarget };

/** One line of a tenant's history. */
export interface HistoryEntry {
  /** RFC 3339 in UTC. */
  at: string;
  action: (typeof ACTIONS)[number];
  family: Family;
  requestId: string;
  /** Claims of the caller's token. */
  by: { sub?: string; preferred_username?: string; azp?: string };
  changed?: string[];
  test?: TestTarget;
}

/**
 * Largest value from outside in an entry, in bytes of JSON. Three claims, a host and a recipient fit KV's
 * 1,024 bytes of metadata.
 */
export const HISTORY_VALUE_MAX_BYTES = 128;

/** Builds an entry that fits, as JSON, into the 1,024 bytes of a KV key's metadata. */
export function toHistoryEntry(
  event: HistoryEvent,
  { family, requestId, caller }: { family: Family; requestId: string; caller: Caller },
  at: Date,
): HistoryEntry {
  const { subject, username, client } = caller;
  return defined({
    at: at.toISOString(),
    action: event.action,
    family,
    requestId,
    by: defined({ sub: truncate(subject), preferred_username: truncate(username), azp: truncate(client) }),
    changed: "changed" in event ? event.changed : undefined,
    test: "test" in event ? truncateTarget(event.test) : undefined,
  });
}

/**
 * Truncates what a request may choose, so that no length keeps the entry out of the history. Keeps the end of host
 * and recipient: it names the domain's owner, and callers may choose any labels before it.
 */
export function truncateTarget({ host, to, ...rest }: TestTarget): TestTarget {
  return defined({ ...rest, host: truncateStart(host), to: to && truncateStart(to) });
}

function truncate(text: string | undefined): string | undefined {
  if (text === undefined || fits(text)) return text;
  let truncated = "";
  for (const character of text) {
    if (!fits(truncated + character)) break;
    truncated += character;
  }
  return `${truncated}…`;
}

function truncateStart(text: string): string {
  if (fits(text)) return text;
  let truncated = "";
  for (const character of [...text].reverse()) {
    if (!fits(character + truncated)) break;
    truncated = character + truncated;
  }
  return `…${truncated}`;
}

function fits(text: string): boolean {
  return new TextEncoder().encode(JSON.stringify(text)).length <= HISTORY_VALUE_MAX_BYTES;
}
