import type { Config } from "../config.ts";
import { RefusedError } from "../errors.ts";
import { KV_RETRY_DELAYS_MS } from "../limits.ts";
import { open, type SettingsRecord, seal } from "./vault.ts";

/** The sealed settings of all tenants, in Workers KV. `docs/storage.md` lists keys and values. */
export class SettingsStore {
  readonly #kv: KVNamespace;
  readonly #keys: Config["settingsKeys"];

  constructor(kv: KVNamespace, keys: Config["settingsKeys"]) {
    this.#kv = kv;
    this.#keys = keys;
  }

  /**
   * What is stored for a tenant, which may be up to 60 seconds old where it was saved elsewhere.
   *
   * @returns `undefined` if nothing is stored
   * @throws {RefusedError} `store_unavailable`, `record_unreadable`
   */
  async read(tenant: string): Promise<SettingsRecord | undefined> {
    const jwe = await withRetries(() => this.#kv.get(keyOf(tenant)));
    return jwe === null ? undefined : open(tenant, jwe, this.#keys);
  }

  /**
   * Puts a record in the place of what is stored.
   *
   * @throws {RefusedError} `store_unavailable`; after a 429, what was stored is still there
   */
  async write(tenant: string, record: SettingsRecord): Promise<void> {
    const { jwe, kid } = await seal(tenant, record, this.#keys);
    const metadata = { kid, updatedAt: record.updatedAt };
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
}

/** The store of the Worker that serves a request. */
export function storeOf(c: { env: Env; var: { config: Config } }): SettingsStore {
  return new SettingsStore(c.env.SMTP_SETTINGS, c.var.config.settingsKeys);
}

function keyOf(tenant: string): string {
  return `smtp:${tenant}`;
}

/** KV answers 429 to a second write to a key within a second. Other errors are not worth waiting for. */
async function withRetries<Result>(operation: () => Promise<Result>): Promise<Result> {
  for (const delay of [...KV_RETRY_DELAYS_MS, undefined]) {
    try {
      return await operation();
    } catch (error) {
      const reason = error instanceof Error ? error.message : "unknown";
      if (delay === undefined || !/\b429\b/.test(reason))
        throw new RefusedError({ kind: "store_unavailable", reason });
      await scheduler.wait(delay);
    }
  }
  throw new Error("unreachable: the last try returns or throws");
}
