/**
 * A namespace that writes down which operations it is asked for and on which kind of key, such as
 * `get smtp`, and does them.
 */
export function countingKv(kv: KVNamespace): { kv: KVNamespace; operations: string[] } {
  const operations: string[] = [];
  const counting = new Proxy(kv, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return (...parameters: unknown[]) => {
        operations.push(`${String(name)} ${keyOrPrefix(parameters).split(":", 1)[0]}`);
        return Reflect.apply(member, target, parameters);
      };
    },
  });
  return { kv: counting, operations };
}

/** What an operation is about: the key that it names, or the prefix that it lists. */
export function keyOrPrefix([first]: readonly unknown[]): string {
  return typeof first === "string" ? first : ((first as KVNamespaceListOptions | undefined)?.prefix ?? "");
}
