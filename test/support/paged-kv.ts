/** Wraps a namespace so that it lists at most `limit` keys at once. KV itself lists up to 1,000. */
export function pagedKv(kv: KVNamespace, limit: number): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "list") return (options: KVNamespaceListOptions) => target.list({ ...options, limit });
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}
