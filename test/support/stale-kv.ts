import { env } from "cloudflare:workers";

/** The Worker's namespace as a location shows it that has cached an earlier value of a tenant, or none (`null`). */
export function staleKv(tenant: string, cached: string | null): KVNamespace {
  return new Proxy(env.SMTP_SETTINGS, {
    get(kv, name) {
      const member: unknown = Reflect.get(kv, name);
      if (typeof member !== "function") return member;
      return async (...parameters: unknown[]) =>
        name === "get" && parameters[0] === `smtp:${tenant}` ? cached : Reflect.apply(member, kv, parameters);
    },
  });
}
