import type { Context } from "hono";
import type { AppEnv } from "../context.ts";
import { ApiError, type FieldError } from "../errors.ts";
import { tenantAddress } from "../http/tenant-id.ts";
import { bearerToken } from "../middleware/authenticate.ts";
import type { Settings } from "../settings/schema.ts";
import { KeycloakAdminClient } from "./admin-client.ts";
import { KeycloakError } from "./errors.ts";
import { differences, keycloakProblems, toSmtpServer } from "./smtp-server.ts";

/** The tenant's realm as a target of settings, with the caller's own token. `undefined` unless configured. */
export function keycloakTarget(c: Context<AppEnv>) {
  const { tenant, config } = c.var;
  if (config.keycloakAdminUrl === undefined) return undefined;
  const url = tenantAddress(config.keycloakAdminUrl, { tenant, hostname: config.hostname });
  const client = new KeycloakAdminClient(url, bearerToken(c.req.header("Authorization")));
  return {
    problems: (settings: Settings): FieldError[] => keycloakProblems(settings),
    apply: (settings: Settings | undefined): Promise<void> =>
      applySettings(client, settings).catch((error: unknown) => {
        throw error instanceof KeycloakError ? toApiError(error) : error;
      }),
  };
}

/**
 * Sets `smtpServer` of a realm, and nothing else.
 *
 * @param settings `undefined` clears it
 * @throws {KeycloakError}
 */
export async function applySettings(
  client: Pick<KeycloakAdminClient, "readRealm" | "updateRealm">,
  settings: Settings | undefined,
): Promise<void> {
  const realm = await client.readRealm();
  const smtpServer = settings === undefined ? {} : toSmtpServer(settings, realm.smtpServer);
  await client.updateRealm({ ...realm, smtpServer });
  const { smtpServer: applied } = await client.readRealm().catch(() => {
    throw new KeycloakError("unknown", "Keycloak did not return the settings");
  });
  if (differences(smtpServer, applied).length > 0) {
    throw new KeycloakError("unknown", "Keycloak has stored other settings");
  }
}

function toApiError({ outcome, message: reason }: KeycloakError): ApiError {
  if (outcome === "forbidden") return new ApiError("keycloak_forbidden", { reason });
  return new ApiError("keycloak_failed", { reason, mayBeApplied: outcome === "unknown" });
}
