import { interceptedKv } from "./intercepted-kv.ts";

/**
 * Wraps a namespace, and lists each operation with the kind of its key, such as `get smtp`.
 */
export function countingKv(kv: KVNamespace): { kv: KVNamespace; operations: string[] } {
  const operations: string[] = [];
  const counting = interceptedKv(kv, (operation, key) => {
    operations.push(`${operation} ${key.split(":", 1)[0]}`);
  });
  return { kv: counting, operations };
}
