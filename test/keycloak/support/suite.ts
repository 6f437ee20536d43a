import type { JWK } from "jose";
import type { Certificate } from "../../support/smtp/certificates.ts";

/** What `npm run test:keycloak` starts, as tests see it. */
export interface Suite {
  /** Base of Keycloak's addresses. */
  keycloakUrl: string;
  /** Where to stop and start Keycloak: see `controlServer`. */
  controlUrl: string;
  /** Ports of the Workers. */
  workers: Record<WorkerName, number>;
  /** Private key of client `tenant-mail`. */
  clientKey: JWK;
  /** For servers on `localhost`. Keycloak and the Workers trust it. */
  certificate: Certificate;
}

/**
 * `plain`: as wrangler.toml has it, except for addresses. `introspecting`: with AUDIENCE and introspection.
 * `applying`: with introspection and KEYCLOAK_ADMIN_URL.
 */
export type WorkerName = "plain" | "introspecting" | "applying";

const VARIABLE = "KEYCLOAK_SUITE";

/** The environment of the process that runs the tests. */
export function environmentOf(suite: Suite): Record<string, string> {
  return { [VARIABLE]: JSON.stringify(suite) };
}

/** Reads what {@link environmentOf} wrote. */
export function readSuite(): Suite {
  const text = process.env[VARIABLE];
  if (text === undefined) throw new Error("These tests need Keycloak: npm run test:keycloak");
  return JSON.parse(text);
}
