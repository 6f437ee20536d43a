import { DEFAULT_GRANT_TYPE } from "../oauth/grant-types.ts";
import type { TokenSettings } from "../oauth/token-request.ts";
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
    grantType: settings.authTokenGrantType ?? DEFAULT_GRANT_TYPE,
    clientId: authTokenClientId,
    scope: settings.authTokenScope,
    credential,
    subject: user,
  };
}

function credentialOf({
  authTokenClientSecret,
  authTokenPrivateKey,
}: Settings): TokenSettings["credential"] | undefined {
  if (authTokenPrivateKey !== undefined) return { privateKey: authTokenPrivateKey };
  return authTokenClientSecret === undefined ? undefined : { clientSecret: authTokenClientSecret };
}
