import type { FieldError } from "../errors.ts";
import { importSigningKey } from "../oauth/private-key.ts";
import type { TokenSettings } from "../oauth/token-request.ts";
import { isTokenUrlAllowed, type TokenUrlPolicy } from "../oauth/token-url.ts";
import { MASK } from "./fields.ts";
import type { Settings } from "./schema.ts";

/** How to request an access token for settings, if they ask for one. */
export function tokenSettingsOf(settings: Settings): TokenSettings | undefined {
  const { auth, authType, authTokenUrl, authTokenClientId, user } = settings;
  if (authType !== "token" || auth === false) return undefined;
  const credential = credentialOf(settings);
  if (authTokenUrl === undefined || authTokenClientId === undefined) return undefined;
  if (user === undefined || credential === undefined) return undefined;
  return {
    url: authTokenUrl,
    grantType: settings.authTokenGrantType ?? "client_credentials",
    clientId: authTokenClientId,
    scope: settings.authTokenScope,
    credential,
    subject: user,
  };
}

/**
 * Checks what the schema cannot: that the token endpoint is public, and that the private key can sign.
 *
 * @returns the error of one field, or `undefined` if there is none
 */
export async function tokenSettingsProblem(
  { authTokenUrl, authTokenPrivateKey }: Settings,
  policy: TokenUrlPolicy,
): Promise<FieldError | undefined> {
  if (authTokenUrl !== undefined && !isTokenUrlAllowed(authTokenUrl, policy)) {
    return { field: "authTokenUrl", message: "must have a public host, and not one of this service" };
  }
  if (authTokenPrivateKey === undefined || authTokenPrivateKey === MASK) return undefined;
  const key = await importSigningKey(authTokenPrivateKey);
  return "problem" in key ? { field: "authTokenPrivateKey", message: key.problem } : undefined;
}

function credentialOf({
  authTokenClientSecret,
  authTokenPrivateKey,
}: Settings): TokenSettings["credential"] | undefined {
  if (authTokenPrivateKey !== undefined) return { privateKey: authTokenPrivateKey };
  return authTokenClientSecret === undefined ? undefined : { clientSecret: authTokenClientSecret };
}
