/**
 * A DNS label (RFC 1123), so that both families reach the same tenants. A-labels look like other names to a
 * person, so they are left out.
 */
export const TENANT_ID = /^(?!xn--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether `text` can name a tenant, in a host as well as in a path. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}
