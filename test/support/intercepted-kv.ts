/** Runs before a KV operation on a key, or on the prefix of a list. The operation throws what it throws. */
type Interception = (operation: string, key: string, parameters: readonly unknown[]) => unknown;

/** Wraps a namespace, and runs `before` ahead of each operation. */
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
