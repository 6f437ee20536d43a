import { env } from "cloudflare:workers";
import { interceptedKv } from "./intercepted-kv.ts";

type Operation = "get" | "put" | "delete" | "list";

/** Production KV's exact message for a second write to a key within a second. */
export const TOO_MANY_REQUESTS = "KV PUT failed: 429 Too Many Requests";

/**
 * Wraps the Worker's namespace: the first `times` calls of one operation fail with `message`.
 *
 * @param prefix of the keys whose calls fail and count
 */
export function faultyKv(operation: Operation, message: string, times: number, prefix = "") {
  let calls = 0;
  const kv = interceptedKv(env.SMTP_SETTINGS, (name, key) => {
    const isAffected = name === operation && key.startsWith(prefix);
    if (isAffected && ++calls <= times) throw new Error(message);
  });
  return { kv, calls: () => calls };
}
