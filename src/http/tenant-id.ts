/**
 * A DNS label (RFC 1123 section 2.1), so both families reach the same tenants. A-labels (RFC 5890) are
 * excluded: a person reads them as another name.
 */
export const TENANT_ID = /^(?!xn--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether `text` is a tenant id, in a host as well as in a path. */
export function isTenantId(text: string): boolean {
  return TENANT_ID.test(text);
}
