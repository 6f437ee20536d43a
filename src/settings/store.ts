import type { Config } from "../config.ts";
import { KV_MIN_CACHE_TTL_SECONDS, listKeys, withRetries } from "../storage/kv.ts";
import { open, SealingError, type SealingKeys, seal } from "../storage/sealing.ts";
import type { Settings } from "./schema.ts";

/** What is stored for a tenant. */
export interface SettingsRecord {
  settings: Settings;
  /** Time of the save, RFC 3339 in UTC. */
  updatedAt: string;
  /** Name of the caller who saved. */
  updatedBy: string;
  /** Unique to the save. */
  version: string;
}

/** A record as a list shows it, still sealed. */
export interface ListedRecord {
  tenant: string;
  /** The key that sealed it; `undefined` if something else wrote it. */
  kid: string | undefined;
  /** Time of the save, RFC 3339 in UTC; `undefined` likewise. */
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
  readonly #keys: SealingKeys;

  constructor(kv: KVNamespace, keys: SealingKeys) {
    this.#kv = kv;
    this.#keys = keys;
  }

  /**
   * Reads a tenant's record. A save elsewhere may take 90 seconds to appear: KV propagates it within 60, and
   * this location caches what it has read for 30.
   *
   * @param retryDelays of `withRetries`
   * @returns `undefined` if nothing is stored
   * @throws {KvError}
   * @throws {SealingError}
   */
  async read(tenant: string, retryDelays?: readonly number[]): Promise<SettingsRecord | undefined> {
    const get = () => this.#kv.get(keyOf(tenant), { cacheTtl: KV_MIN_CACHE_TTL_SECONDS });
    const jwe = await withRetries(get, retryDelays);
    return jwe === null ? undefined : openRecord(tenant, jwe, this.#keys);
  }

  /**
   * Replaces a tenant's record.
   *
   * @param retryDelays of `withRetries`
   * @returns the sealed record
   * @throws {KvError}; after a 429, the previous record is still stored
   */
  async write(tenant: string, record: SettingsRecord, retryDelays?: readonly number[]): Promise<string> {
    const { jwe, kid } = await seal("settings", tenant, record, this.#keys);
    const metadata: Metadata = { kid, updatedAt: record.updatedAt };
    await withRetries(() => this.#kv.put(keyOf(tenant), jwe, { metadata }), retryDelays);
    return jwe;
  }

  /**
   * Deletes a tenant's record, if there is one.
   *
   * @throws {KvError}
   */
  async delete(tenant: string): Promise<void> {
    await withRetries(() => this.#kv.delete(keyOf(tenant)));
  }

  /**
   * Lists the records of all tenants, ordered by tenant id.
   *
   * @returns the records, and the number of KV operations used
   * @throws {KvError}
   */
  async list(): Promise<{ records: ListedRecord[]; operations: number }> {
    const { keys, operations } = await listKeys<Metadata>(this.#kv, PREFIX);
    const records = keys.map(({ rest, metadata }) => ({
      tenant: rest,
      kid: metadata?.kid,
      updatedAt: metadata?.updatedAt,
    }));
    return { records, operations };
  }

  /**
   * Reseals a record with the first key, unless it has changed since it was listed. KV has no compare-and-swap,
   * so a save in the milliseconds between this read and write is lost. Uses two KV operations.
   *
   * @returns whether the first key seals the record now
   * @throws {KvError}
   * @throws {SealingError}
   */
  async reseal({ tenant, updatedAt }: ListedRecord): Promise<boolean> {
    const record = await this.read(tenant, []);
    if (record === undefined) return false;
    if (updatedAt !== undefined && record.updatedAt !== updatedAt) return false;
    await this.write(tenant, record, []);
    return true;
  }
}

/** The store of the Worker that serves a request. */
export function storeOf(c: { env: Env; var: { config: Config } }): SettingsStore {
  return new SettingsStore(c.env.SMTP_SETTINGS, c.var.config.settingsKeys);
}

/**
 * Opens a sealed record.
 *
 * @throws {SealingError}
 */
export async function openRecord(tenant: string, jwe: string, keys: SealingKeys): Promise<SettingsRecord> {
  const { claims, kid } = await open<SettingsRecord>(tenant, jwe, keys);
  const { settings, updatedAt, updatedBy, version } = claims;
  if (typeof settings !== "object" || settings === null) throw new SealingError("holds no settings", kid);
  // Records of version 0.1.0 may lack a version.
  return { settings, updatedAt, updatedBy, version: version ?? updatedAt };
}

// Ends with the id, which list() reads back: no separator follows that an id could contain.
function keyOf(tenant: string): string {
  return `${PREFIX}${tenant}`;
}
