import type { Config } from "../config.ts";
import { withRetries } from "../kv/retries.ts";
import { KV_CACHE_MIN_SECONDS } from "../limits.ts";
import { open, type SettingsRecord, seal } from "./vault.ts";

/** A record as a list shows it, unopened. */
export interface ListedRecord {
  tenant: string;
  /** The key that sealed it; unknown if somebody else has put it there. */
  kid: string | undefined;
  /** Time of the save, RFC 3339 in UTC; unknown likewise. */
  updatedAt: string | undefined;
}

interface Metadata {
  kid: string;
  updatedAt: string;
}

const PREFIX = "smtp:";

/** The sealed settings of all tenants, in Workers KV. `docs/storage.md` lists keys and values. */
export class SettingsStore {
  readonly #kv: KVNamespace;
  readonly #keys: Config["settingsKeys"];

  constructor(kv: KVNamespace, keys: Config["settingsKeys"]) {
    this.#kv = kv;
    this.#keys = keys;
  }

  /**
   * What is stored for a tenant, which may be some 90 seconds old where it was saved elsewhere: KV takes up to
   * 60 to show it, and this place keeps what it has read for 30.
   *
   * @returns `undefined` if nothing is stored
   * @throws {RefusedError} `store_unavailable`, `record_unreadable`
   */
  async read(tenant: string): Promise<SettingsRecord | undefined> {
    const jwe = await withRetries(() => this.#kv.get(keyOf(tenant), { cacheTtl: KV_CACHE_MIN_SECONDS }));
    return jwe === null ? undefined : open(tenant, jwe, this.#keys);
  }

  /**
   * Puts a record in the place of what is stored.
   *
   * @throws {RefusedError} `store_unavailable`; after a 429, what was stored is still there
   */
  async write(tenant: string, record: SettingsRecord): Promise<void> {
    const { jwe, kid } = await seal(tenant, record, this.#keys);
    const metadata: Metadata = { kid, updatedAt: record.updatedAt };
    await withRetries(() => this.#kv.put(keyOf(tenant), jwe, { metadata }));
  }

  /**
   * Deletes what is stored, if anything is.
   *
   * @throws {RefusedError} `store_unavailable`
   */
  async delete(tenant: string): Promise<void> {
    await withRetries(() => this.#kv.delete(keyOf(tenant)));
  }

  /**
   * Lists the records of all tenants, in the order of their ids.
   *
   * @returns the records, and how many KV operations that took
   * @throws {RefusedError} `store_unavailable`
   */
  async list(): Promise<{ records: ListedRecord[]; operations: number }> {
    const records: ListedRecord[] = [];
    let cursor: string | null = null;
    let operations = 0;
    do {
      const options: KVNamespaceListOptions = { prefix: PREFIX, cursor };
      const page: KVNamespaceListResult<Metadata> = await withRetries(() => this.#kv.list<Metadata>(options));
      for (const { name, metadata } of page.keys) {
        const tenant = name.slice(PREFIX.length);
        records.push({
          tenant,
          kid: metadata?.kid,
          updatedAt: metadata?.updatedAt,
        });
      }
      cursor = page.list_complete ? null : page.cursor;
      operations++;
    } while (cursor !== null);
    return { records, operations };
  }

  /**
   * Seals a record anew by the first key, unless it is another one by now. KV has no compare-and-swap: a
   * save in the milliseconds between the read and the write here is lost. Takes two KV operations.
   *
   * @returns whether it is sealed by the first key now
   * @throws {RefusedError} `store_unavailable`, `record_unreadable`
   */
  async reseal({ tenant, updatedAt }: ListedRecord): Promise<boolean> {
    const jwe = await withRetries(() => this.#kv.get(keyOf(tenant), { cacheTtl: KV_CACHE_MIN_SECONDS }), []);
    if (jwe === null) return false;
    const record = await open(tenant, jwe, this.#keys);
    if (updatedAt !== undefined && record.updatedAt !== updatedAt) return false;
    const { jwe: resealed, kid } = await seal(tenant, record, this.#keys);
    const metadata: Metadata = { kid, updatedAt: record.updatedAt };
    await withRetries(() => this.#kv.put(keyOf(tenant), resealed, { metadata }), []);
    return true;
  }
}

/** The store of the Worker that serves a request. */
export function storeOf(c: { env: Env; var: { config: Config } }): SettingsStore {
  return new SettingsStore(c.env.SMTP_SETTINGS, c.var.config.settingsKeys);
}

function keyOf(tenant: string): string {
  return `${PREFIX}${tenant}`;
}
