import { withRetries } from "../kv/retries.ts";

const KEY = "rotation";

/** Remembers, in Workers KV, how far rotation has come. */
export class RotationProgress {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /**
   * The last tenant of the run before.
   *
   * @throws {RefusedError} `store_unavailable`
   */
  async read(): Promise<string | undefined> {
    return (await withRetries(() => this.#kv.get(KEY), [])) ?? undefined;
  }

  /** @throws {RefusedError} `store_unavailable` */
  async write(tenant: string): Promise<void> {
    await withRetries(() => this.#kv.put(KEY, tenant), []);
  }
}
