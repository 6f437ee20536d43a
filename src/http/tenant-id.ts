import { expand } from "../config.ts";
import type { Family } from "../context.ts";

/** A DNS label (RFC 1123 section 2.1). A-labels (RFC 5890) are excluded: a person reads them as another name. */
const LABEL = {
  pattern: /^(?!xn--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
  description: "The tenant: a DNS label in lower case, without xn-- at the start.",
};

/** The tenant ids of each family. Both take the same, so they reach the same tenants. */
export const TENANT_IDS: Record<Family, typeof LABEL> = { SSMS: LABEL, SHIFT: LABEL };

/** Whether `text` is a tenant id. The family matters where one of them takes fewer. */
export function isTenantId(text: string, family: Family = "SHIFT"): boolean {
  return TENANT_IDS[family].pattern.test(text);
}

/**
 * Encodes a tenant id for an address or key, in which a separator may follow. It leaves "." and ".." as they are, so a
 * pattern must exclude them.
 */
export function encodeTenantId(tenant: string): string {
  return encodeURIComponent(tenant);
}

/** Builds an address of a tenant from a template of the configuration. */
export function tenantAddress(
  template: string,
  { tenant, ...names }: { tenant: string; hostname: string; issuer?: string },
): string {
  return expand(template, { ...names, tenant: encodeTenantId(tenant) });
}
