import { env } from "cloudflare:workers";
import { interceptedKv } from "./intercepted-kv.ts";

type Operation = "get" | "put" | "delete" | "list";

/** What production's KV says, word for word, to a second write to a key within a second. */
export const TOO_MANY_REQUESTS = "KV PUT failed: 429 Too Many Requests";

/**
 * The Worker's own namespace, whose first `times` calls of one operation fail with `message`.
 *
 * @param about the beginning of the keys that this and the count of calls are limited to
 */
export function faultyKv(operation: Operation, message: string, times: number, about = "") {
  let calls = 0;
  const kv = interceptedKv(env.SMTP_SETTINGS, (name, key) => {
    const isMeant = name === operation && key.startsWith(about);
    if (isMeant && ++calls <= times) throw new Error(message);
  });
  return { kv, calls: () => calls };
}
