import type { FieldError } from "../errors.ts";
import { isPublicDestination, parseHost } from "../mail/host.ts";
import { importSigningKey } from "../oauth/private-key.ts";
import type { TokenSettings } from "../oauth/token-request.ts";
import type { DestinationPolicy } from "../smtp/destination.ts";
import { MASK, type Settings } from "./schema.ts";

/** How to request an access token for settings, if they ask for one. */
export function tokenSettingsOf(settings: Settings): TokenSettings | undefined {
  const { authType, authTokenUrl, authTokenClientId, user } = settings;
  if (authType !== "token" || settings.auth === false) return undefined;
  if (authTokenUrl === undefined || authTokenClientId === undefined || user === undefined) return undefined;
  return {
    url: authTokenUrl,
    grantType: settings.authTokenGrantType ?? "client_credentials",
    clientId: authTokenClientId,
    scope: settings.authTokenScope,
    clientSecret: settings.authTokenClientSecret,
    privateKey: settings.authTokenPrivateKey,
    subject: user,
  };
}

/** Checks what the schema cannot: that the token endpoint is public, and that the private key is one. */
export async function tokenSettingsProblem(
  { authTokenUrl, authTokenPrivateKey }: Settings,
  policy: DestinationPolicy,
): Promise<FieldError | undefined> {
  if (authTokenUrl !== undefined && !isAllowed(authTokenUrl, policy)) {
    return { field: "authTokenUrl", message: "must have a public host" };
  }
  if (authTokenPrivateKey === undefined || authTokenPrivateKey === MASK) return undefined;
  if ((await importSigningKey(authTokenPrivateKey)) !== undefined) return undefined;
  const message = "must be a private key of RSA, EC or Ed25519, as PKCS#8 PEM or as JWK";
  return { field: "authTokenPrivateKey", message };
}

function isAllowed(url: string, { allowPrivateHosts }: DestinationPolicy): boolean {
  const parsed = parseHost(new URL(url).hostname);
  return allowPrivateHosts || ("host" in parsed && isPublicDestination(parsed.host));
}
