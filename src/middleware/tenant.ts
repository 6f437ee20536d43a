import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { AppEnv, Family } from "../context.ts";
import { ApiError } from "../errors.ts";
import { isTenantId } from "../http/tenant-id.ts";

/** The host of a URL in lower case, without port and without one trailing dot. */
export function hostnameOf(url: string): string {
  return new URL(url).hostname.replace(/\.$/, "");
}

/** SSMS: resolves the tenant from the label before the base host. */
export function tenantFromHost() {
  return createMiddleware<AppEnv>(async function tenantFromHost(c, next) {
    const label = labelBefore(c.var.config.hostname, hostnameOf(c.req.url));
    if (label === undefined) throw notFound("not a tenant's host");
    setTenant(c, "SSMS", label);
    await next();
  });
}

/** SHIFT: resolves the tenant from the path, on the base host only. */
export function tenantFromPath() {
  return createMiddleware<AppEnv>(async function tenantFromPath(c, next) {
    if (hostnameOf(c.req.url) !== c.var.config.hostname) throw notFound("not the base host");
    setTenant(c, "SHIFT", c.req.param("tenantId") ?? "");
    await next();
  });
}

/** Rejects hosts that are neither the base host nor a tenant's. For paths without a tenant. */
export function platformHost() {
  return createMiddleware<AppEnv>(async function platformHost(c, next) {
    const hostname = hostnameOf(c.req.url);
    const base = c.var.config.hostname;
    if (hostname !== base && !isTenantId(labelBefore(base, hostname) ?? "", "SSMS")) {
      throw notFound("not a host of the platform");
    }
    await next();
  });
}

function labelBefore(base: string, hostname: string): string | undefined {
  return hostname.endsWith(`.${base}`) ? hostname.slice(0, -base.length - 1) : undefined;
}

function setTenant(c: Context<AppEnv>, family: Family, tenant: string): void {
  if (!isTenantId(tenant, family)) throw notFound("not a tenant id");
  c.set("family", family);
  c.set("tenant", tenant);
}

function notFound(reason: string): ApiError {
  return new ApiError("not_found", { reason });
}
