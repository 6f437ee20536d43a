import { defined } from "../defined.ts";
import { encodeTenantId } from "../http/tenant-id.ts";
import { KvError, withRetries } from "../storage/kv.ts";
import type { HistoryEntry } from "./event.ts";

/** How long entries are kept, in seconds: 400 days, a year and some time to look back on it. */
const RETENTION_SECONDS = 400 * 24 * 60 * 60;

/** Part of a tenant's history, newest first. */
interface HistoryPage {
  entries: HistoryEntry[];
  /** Start of the next page; absent on the last one. */
  cursor?: string;
}

/** The history of all tenants, in Workers KV. `docs/storage.md` lists keys and values. */
export class HistoryStore {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /**
   * Adds an entry. It fits into the key's metadata, so one list operation reads a page.
   *
   * @throws {KvError}
   */
  async append(tenant: string, entry: HistoryEntry): Promise<void> {
    const options = { metadata: entry, expirationTtl: RETENTION_SECONDS };
    await withRetries(() => this.#kv.put(keyOf(tenant, entry), "", options));
  }

  /**
   * Reads a page of at most `limit` entries, the newest first.
   *
   * @param cursor of the previous page
   * @returns `undefined` if the cursor is not one of this tenant's history
   * @throws {KvError}
   */
  async page(tenant: string, limit: number, cursor?: string): Promise<HistoryPage | undefined> {
    const prefix = prefixOf(tenant);
    const list = await this.#list(prefix, limit, cursor);
    // A cursor is a position in the whole namespace, and the caller may have made it up.
    if (list === undefined || list.keys.some(({ name }) => !name.startsWith(prefix))) return undefined;
    const entries = list.keys.flatMap(({ metadata }) => metadata ?? []);
    return list.list_complete ? { entries } : { entries, cursor: list.cursor };
  }

  async #list(prefix: string, limit: number, cursor: string | undefined) {
    const options = defined({ prefix, limit, cursor });
    try {
      return await withRetries(() => this.#kv.list<HistoryEntry>(options));
    } catch (error) {
      // KV responds 400 to a cursor it did not issue.
      if (cursor !== undefined && error instanceof KvError && error.status === 400) return undefined;
      throw error;
    }
  }
}

// KV lists keys in ascending order, so the time counts down from the year 2286, in 13 digits.
const MAX_TIME_MS = 9_999_999_999_999;

function keyOf(tenant: string, { at, requestId }: HistoryEntry): string {
  const countdown = String(MAX_TIME_MS - Date.parse(at)).padStart(13, "0");
  return `${prefixOf(tenant)}${countdown}:${requestId}`;
}

function prefixOf(tenant: string): string {
  return `history:${encodeTenantId(tenant)}:`;
}
