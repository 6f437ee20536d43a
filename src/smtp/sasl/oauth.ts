import type { Mechanism } from "./mechanism.ts";

/** Whom a token authenticates, and where. */
interface TokenCredentials {
  host: string;
  port: number;
  user: string;
  token: string;
}

/**
 * XOAUTH2. A server that rejects the token says why in a challenge, and waits for an empty response.
 *
 * @see https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
 */
export function xoauth2({ user, token }: TokenCredentials): Mechanism {
  return bearer("XOAUTH2", token, `user=${user}\x01auth=Bearer ${token}\x01\x01`, "");
}

/** OAUTHBEARER (RFC 7628 section 3.1). A server that rejects the token says why in a challenge (section 3.2.3). */
export function oauthBearer({ host, port, user, token }: TokenCredentials): Mechanism {
  // RFC 5801 section 4.
  const authorizationId = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
  const fields = `\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`;
  return bearer("OAUTHBEARER", token, `n,a=${authorizationId},${fields}`, "\x01");
}

function bearer(name: string, token: string, initialResponse: string, acknowledgment: string): Mechanism {
  const answers = [acknowledgment];
  return { name, initialResponse, secrets: [initialResponse, token], next: () => answers.shift() };
}
