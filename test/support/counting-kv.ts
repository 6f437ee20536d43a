/** A namespace that writes down which operations it is asked for, and does them. */
export function countingKv(kv: KVNamespace): { kv: KVNamespace; operations: string[] } {
  const operations: string[] = [];
  const counting = new Proxy(kv, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...parameters: unknown[]) => {
        operations.push(String(name));
        return Reflect.apply(member, target, parameters);
      };
    },
  });
  return { kv: counting, operations };
}
