/** Something to do before a KV operation on a key, or on the prefix of a list; what it throws, KV throws. */
export type Interception = (operation: string, key: string, parameters: readonly unknown[]) => unknown;

/** A namespace that has something done before each of its operations. */
export function interceptedKv(kv: KVNamespace, before: Interception): KVNamespace {
  return new Proxy(kv, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== "function") return member;
      return async (...parameters: unknown[]) => {
        await before(String(name), keyOrPrefix(parameters), parameters);
        return Reflect.apply(member, target, parameters);
      };
    },
  });
}

function keyOrPrefix([first]: readonly unknown[]): string {
  return typeof first === "string" ? first : ((first as KVNamespaceListOptions | undefined)?.prefix ?? "");
}
