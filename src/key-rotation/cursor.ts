import { withRetries } from "../storage/kv.ts";

const KEY = "rotation";

/** Where the next rotation run continues, in Workers KV. */
export class RotationCursor {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /**
   * Reads the last tenant of the previous run.
   *
   * @throws {KvError}
   */
  async read(): Promise<string | undefined> {
    return (await withRetries(() => this.#kv.get(KEY), [])) ?? undefined;
  }

  /** @throws {KvError} */
  async write(tenant: string): Promise<void> {
    await withRetries(() => this.#kv.put(KEY, tenant), []);
  }
}
