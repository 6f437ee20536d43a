import { withRetries } from "../storage/kv.ts";

const KEY = "rotation";

/** What one run leaves to the next. */
export interface RotationPosition {
  /** The last tenant of the run. */
  tenant?: string | undefined;
  /** When each key other than the first was first seen as such, by `kid`, RFC 3339 in UTC. */
  retired: Record<string, string>;
}

/** Where the next rotation run continues, in Workers KV. */
export class RotationCursor {
  readonly #kv: KVNamespace;

  constructor(kv: KVNamespace) {
    this.#kv = kv;
  }

  /**
   * Reads the position. A damaged one counts as absent: the next write replaces it.
   *
   * @throws {KvError}
   */
  async read(): Promise<RotationPosition> {
    const text = await withRetries(() => this.#kv.get(KEY), []);
    return text === null ? { retired: {} } : parse(text);
  }

  /** @throws {KvError} */
  async write(position: RotationPosition): Promise<void> {
    await withRetries(() => this.#kv.put(KEY, JSON.stringify(position)), []);
  }
}

function parse(text: string): RotationPosition {
  // Version 0.1.0 stored the tenant alone.
  if (!text.startsWith("{")) return { tenant: text, retired: {} };
  try {
    const { tenant, retired } = JSON.parse(text);
    return { tenant, retired: { ...retired } };
  } catch {
    return { retired: {} };
  }
}
