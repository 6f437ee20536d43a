import { interceptedKv } from "./intercepted-kv.ts";

/**
 * A namespace that writes down which operations it is asked for and on which kind of key, such as
 * `get smtp`, and does them.
 */
export function countingKv(kv: KVNamespace): { kv: KVNamespace; operations: string[] } {
  const operations: string[] = [];
  const counting = interceptedKv(kv, (operation, key) => {
    operations.push(`${operation} ${key.split(":", 1)[0]}`);
  });
  return { kv: counting, operations };
}
