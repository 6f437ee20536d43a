import { env } from "cloudflare:workers";

type Operation = "get" | "put" | "delete";

/** What production's KV says, word for word, to a second write to a key within a second. */
export const TOO_MANY_REQUESTS = "KV PUT failed: 429 Too Many Requests";

/** The Worker's own namespace, whose first `times` calls of one operation fail with `message`. */
export function faultyKv(operation: Operation, message: string, times: number) {
  let calls = 0;
  const kv = new Proxy(env.SMTP_SETTINGS, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...parameters: unknown[]) => {
        if (name === operation && ++calls <= times) throw new Error(message);
        return Reflect.apply(member, target, parameters);
      };
    },
  });
  return { kv, calls: () => calls };
}
