import { LOCAL_HOSTNAME } from "./local-issuer.ts";

/** A tenant's settings, or what can be done with them, in the SSMS family: the host names the tenant. */
export function ssmsAddress(
  protocol: "http" | "https",
  port: number,
  tenant: string,
  resource: "config" | "test" = "config",
): string {
  return `${protocol}://${tenant}.${LOCAL_HOSTNAME}:${port}/digitanium/v4/mail/${resource}`;
}

/** A tenant's settings in the SHIFT family: the path names the tenant. */
export function shiftAddress(protocol: "http" | "https", port: number, tenant: string): string {
  return `${protocol}://${LOCAL_HOSTNAME}:${port}/auth/realms/${tenant}/mail/setup`;
}
