import { RefusedError } from "../errors.ts";
import { KV_RETRY_DELAYS_MS } from "../limits.ts";

/**
 * Runs a KV operation. KV answers 429 to a second write to a key within a second, so that is tried again;
 * other errors are not worth waiting for.
 *
 * @throws {RefusedError} `store_unavailable`
 * @see https://developers.cloudflare.com/kv/platform/limits/
 */
export async function withRetries<Result>(
  operation: () => Promise<Result>,
  [delay, ...laterDelays]: readonly number[] = KV_RETRY_DELAYS_MS,
): Promise<Result> {
  try {
    return await operation();
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown";
    if (delay === undefined || !/\b429\b/.test(reason)) {
      throw new RefusedError({ kind: "store_unavailable", reason });
    }
    await scheduler.wait(delay);
    return withRetries(operation, laterDelays);
  }
}
