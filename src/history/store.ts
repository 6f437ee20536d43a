import { RefusedError } from "../errors.ts";
import { withRetries } from "../kv/retries.ts";
import { HISTORY_KEPT_SECONDS } from "../limits.ts";
import type { HistoryEntry } from "./entry.ts";
import { CURSOR_PROBLEM } from "./query.ts";

/** Part of a tenant's history, newest first. */
export interface HistoryPage {
  entries: HistoryEntry[];
  /** Where the next page begins; absent on the last one. */
  cursor?: string;
}

/** What was done to the settings of all tenants, in Workers KV. `docs/storage.md` lists keys and values. */
export class HistoryStore {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /**
   * Adds an entry. Everything is in the key's metadata, so that a list operation answers a whole page.
   *
   * @throws {RefusedError} `store_unavailable`
   */
  async append(tenant: string, entry: HistoryEntry): Promise<void> {
    const options = { metadata: entry, expirationTtl: HISTORY_KEPT_SECONDS };
    await withRetries(() => this.#kv.put(keyOf(tenant, entry), "", options));
  }

  /**
   * Reads a page of at most `limit` entries.
   *
   * @param cursor of the page before; without it, the newest entries are read
   * @throws {RefusedError} `store_unavailable`, `invalid_fields` for the cursor
   */
  async page(tenant: string, limit: number, cursor?: string): Promise<HistoryPage> {
    const prefix = prefixOf(tenant);
    const options = { prefix, limit, ...(cursor === undefined ? {} : { cursor }) };
    const list = await withRetries(() => this.#kv.list<HistoryEntry>(options)).catch((error) => {
      throw cursor === undefined ? error : forCursor(error);
    });
    // A cursor is a place in the namespace, and the caller may have made it up.
    if (list.keys.some(({ name }) => !name.startsWith(prefix))) throw cursorRefused();
    const entries = list.keys.flatMap(({ metadata }) => metadata ?? []);
    return list.list_complete ? { entries } : { entries, cursor: list.cursor };
  }
}

// KV lists keys in ascending order, so the time counts down: to the year 2286, in 13 digits.
const END_OF_TIME_MS = 9_999_999_999_999;

function keyOf(tenant: string, { at, requestId }: HistoryEntry): string {
  const countdown = String(END_OF_TIME_MS - Date.parse(at)).padStart(13, "0");
  return `${prefixOf(tenant)}${countdown}:${requestId}`;
}

function prefixOf(tenant: string): string {
  return `history:${tenant}:`;
}

/** KV answers 400 to a cursor that it has not made. */
function forCursor(error: unknown): unknown {
  if (!(error instanceof RefusedError) || error.refusal.kind !== "store_unavailable") return error;
  if (!/\b400\b/.test(error.refusal.reason)) return error;
  return cursorRefused();
}

function cursorRefused(): RefusedError {
  const errors = [{ field: "cursor", message: CURSOR_PROBLEM }];
  return new RefusedError({ kind: "invalid_fields", errors });
}
