import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";
import { isTenantId } from "./tenant-id.ts";

/** The host of a request's URL, lower case, without port and without one trailing dot. */
export function hostnameOf(url: string): string {
  return new URL(url).hostname.replace(/\.$/, "");
}

/** SSMS: the tenant is the one label before the base host. */
export function tenantFromHost() {
  return createMiddleware<AppEnv>(async function tenantFromHost(c, next) {
    const hostname = hostnameOf(c.req.url);
    const suffix = `.${c.var.config.hostname}`;
    if (!hostname.endsWith(suffix)) throw notFound("not a tenant's host");
    setTenant(c, "SSMS", hostname.slice(0, -suffix.length));
    await next();
  });
}

/** For what belongs to no tenant: lets requests on to the base host and to tenants' hosts, and to no other. */
export function platformHost() {
  return createMiddleware<AppEnv>(async function platformHost(c, next) {
    const hostname = hostnameOf(c.req.url);
    const base = c.var.config.hostname;
    const label = hostname.endsWith(`.${base}`) ? hostname.slice(0, -base.length - 1) : undefined;
    if (hostname !== base && !isTenantId(label ?? "")) throw notFound("not a host of the platform");
    await next();
  });
}

/** SHIFT: the tenant is in the path, and the host is the base host itself. */
export function tenantFromPath() {
  return createMiddleware<AppEnv>(async function tenantFromPath(c, next) {
    if (hostnameOf(c.req.url) !== c.var.config.hostname) throw notFound("not the base host");
    setTenant(c, "SHIFT", c.req.param("tenantId") ?? "");
    await next();
  });
}

function setTenant(c: Context<AppEnv>, family: AppEnv["Variables"]["family"], tenant: string): void {
  if (!isTenantId(tenant)) throw notFound("not a tenant id");
  c.set("family", family);
  c.set("tenant", tenant);
}

function notFound(reason: string): RefusedError {
  return new RefusedError({ kind: "not_found", reason });
}
