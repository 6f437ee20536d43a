import { listKeys, withRetries } from "../storage/kv.ts";

const PREFIX = "outbox:";

/** Key beside the tables of an outbox. */
const KIDS = "kids";

/** An outbox as KV lists it. */
export interface ListedOutbox {
  tenant: string;
  /** `kid` of each settings key that a stored value may need. */
  kids: readonly string[];
}

type Metadata = Pick<ListedOutbox, "kids">;

/**
 * The entry of an outbox in KV. It leads the cron trigger to an outbox whose tenant has no settings, and names the keys
 * that the outbox needs. `docs/storage.md` lists keys and values.
 */
export class OutboxEntry {
  readonly #kv: () => KVNamespace;
  readonly #key: string;
  readonly #storage: SyncKvStorage;
  /** The last write. The next one waits for it. */
  #written: Promise<unknown> = Promise.resolve();

  /** @param storage remembers the entry, so that no acceptance has to read it in KV */
  constructor(kv: () => KVNamespace, tenant: string, storage: SyncKvStorage) {
    this.#kv = kv;
    this.#key = `${PREFIX}${tenant}`;
    this.#storage = storage;
  }

  /**
   * Stores something that needs a key, once the entry names the key.
   *
   * @throws {KvError} in which case nothing is stored
   */
  async store<Result>(kid: string, store: () => Result): Promise<Result> {
    if (this.#kids?.includes(kid)) return store();
    return this.#afterOthers(async () => {
      const kids = this.#kids ?? [];
      if (!kids.includes(kid)) await this.#put([...kids, kid]);
      // Here, so that no update removes the entry in between.
      return store();
    });
  }

  /**
   * Writes or deletes the entry, unless it is right.
   *
   * @param listed what KV lists
   * @param needed what it should list, from what it lists so far; `undefined`: no entry
   * @throws {KvError}
   */
  async update(
    listed: readonly string[] | undefined,
    needed: (kids: readonly string[]) => readonly string[] | undefined,
  ): Promise<void> {
    return this.#afterOthers(async () => {
      const kids = needed([...new Set([...(this.#kids ?? []), ...(listed ?? [])])]);
      // First, so that what is stored from here on asks for its key again.
      if (!isSame(kids, this.#kids)) this.#remember(kids);
      if (isSame(kids, listed)) return;
      if (kids === undefined) await withRetries(() => this.#kv().delete(this.#key));
      else await this.#put(kids);
    });
  }

  get #kids(): readonly string[] | undefined {
    return this.#storage.get(KIDS);
  }

  async #put(kids: readonly string[]): Promise<void> {
    const metadata: Metadata = { kids };
    await withRetries(() => this.#kv().put(this.#key, "", { metadata }));
    if (!isSame(kids, this.#kids)) this.#remember(kids);
  }

  #remember(kids: readonly string[] | undefined): void {
    if (kids === undefined) this.#storage.delete(KIDS);
    else this.#storage.put(KIDS, kids);
  }

  #afterOthers<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#written.then(work);
    this.#written = result.catch(() => {});
    return result;
  }
}

/**
 * Lists the outboxes that have accepted messages, ordered by tenant id.
 *
 * @returns the outboxes, and the number of KV operations used
 * @throws {KvError}
 */
export async function listOutboxes(
  kv: KVNamespace,
): Promise<{ outboxes: ListedOutbox[]; operations: number }> {
  const { keys, operations } = await listKeys<Metadata>(kv, PREFIX);
  const outboxes = keys.map(({ rest, metadata }) => ({ tenant: rest, kids: metadata?.kids ?? [] }));
  return { outboxes, operations };
}

function isSame(kids: readonly string[] | undefined, others: readonly string[] | undefined): boolean {
  return JSON.stringify(kids) === JSON.stringify(others);
}
