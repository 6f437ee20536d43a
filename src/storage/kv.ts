import { SafeError } from "../errors.ts";

/** Waits before retrying a KV write that got 429, in milliseconds: KV takes one write per second and key. */
const KV_RETRY_DELAYS_MS = [400, 1_100, 1_600] as const;

/** Shortest time for which KV lets a location cache what it has read, in seconds. */
export const KV_MIN_CACHE_TTL_SECONDS = 30;

/** A failed KV operation. The message is KV's, which names the operation and a status. */
export class KvError extends SafeError {
  override readonly name = "KvError";
  /** HTTP status of KV's response, where its message has one. */
  readonly status: number | undefined;

  constructor(message: string) {
    super(message);
    const [status] = /\b[45]\d\d\b/.exec(message) ?? [];
    this.status = status === undefined ? undefined : Number(status);
  }
}

/**
 * Runs a KV operation, and retries it while KV responds 429.
 *
 * @throws {KvError} for any other failure, or once the delays are used up
 * @see https://developers.cloudflare.com/kv/platform/limits/
 */
export async function withRetries<Result>(
  operation: () => Promise<Result>,
  [delay, ...laterDelays]: readonly number[] = KV_RETRY_DELAYS_MS,
): Promise<Result> {
  try {
    return await operation();
  } catch (cause) {
    const error = new KvError(cause instanceof Error ? cause.message : "unknown");
    if (delay === undefined || error.status !== 429) throw error;
    await scheduler.wait(delay);
    return withRetries(operation, laterDelays);
  }
}

/** A key as KV lists it: what follows the prefix, and the metadata. */
interface ListedKey<Metadata> {
  rest: string;
  metadata: Metadata | undefined;
}

/**
 * Lists all keys with a prefix, in ascending order.
 *
 * @returns the keys, and the number of KV operations used
 * @throws {KvError}
 */
export async function listKeys<Metadata>(
  kv: KVNamespace,
  prefix: string,
): Promise<{ keys: ListedKey<Metadata>[]; operations: number }> {
  const keys: ListedKey<Metadata>[] = [];
  let cursor: string | null = null;
  let operations = 0;
  do {
    const options: KVNamespaceListOptions = { prefix, cursor };
    const page: KVNamespaceListResult<Metadata> = await withRetries(() => kv.list<Metadata>(options));
    for (const { name, metadata } of page.keys) keys.push({ rest: name.slice(prefix.length), metadata });
    cursor = page.list_complete ? null : page.cursor;
    operations++;
  } while (cursor !== null);
  return { keys, operations };
}

/**
 * Reads a key that never exists, to see whether KV responds.
 *
 * @throws {KvError}
 */
export async function assertKvAvailable(kv: KVNamespace): Promise<void> {
  await withRetries(() => kv.get("health"), []);
}
