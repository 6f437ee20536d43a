import type { Caller } from "../auth/caller.ts";
import type { Family } from "../http/app-env.ts";
import { HISTORY_CLAIM_BYTES } from "../limits.ts";

/** What was done to a tenant's settings. `test_refused`: tried, and the SMTP server did not take it. */
export type Action = "saved" | "deleted" | "tested" | "test_refused";

/** One line of a tenant's history. */
export interface HistoryEntry {
  /** RFC 3339 in UTC. */
  at: string;
  action: Action;
  /** The address family that the request came by. */
  family: Family;
  requestId: string;
  /** Who, as the token's claims have it. */
  by: { sub?: string; preferred_username?: string; azp?: string };
  /** Names of the fields that a save changed; unknown where the settings before could not be read. */
  changed?: string[];
}

/** Makes an entry that, as JSON, stays within the 1024 bytes of a KV key's metadata. */
export function historyEntry(
  action: Action,
  request: { family: Family; requestId: string; caller: Caller },
  at: Date,
  changed?: string[],
): HistoryEntry {
  const { family, requestId, caller } = request;
  const claims = { sub: caller.subject, preferred_username: caller.username, azp: caller.client };
  const by = Object.fromEntries(
    Object.entries(claims).flatMap(([name, value]) => (value === undefined ? [] : [[name, clip(value)]])),
  );
  return {
    at: at.toISOString(),
    action,
    family,
    requestId,
    by,
    ...(changed === undefined ? {} : { changed }),
  };
}

function clip(text: string): string {
  if (fits(text)) return text;
  let clipped = "";
  for (const character of text) {
    if (!fits(clipped + character)) break;
    clipped += character;
  }
  return `${clipped}…`;
}

function fits(text: string): boolean {
  return new TextEncoder().encode(JSON.stringify(text)).length <= HISTORY_CLAIM_BYTES;
}
