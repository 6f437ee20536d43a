/** SASL mechanisms that carry an access token. The first that a server offers is used. */
export const TOKEN_MECHANISMS = ["XOAUTH2", "OAUTHBEARER"] as const;

type TokenMechanism = (typeof TOKEN_MECHANISMS)[number];

/** RFC 5321 section 4.5.3.1.4, without CRLF. */
const COMMAND_MAX_OCTETS = 510;

/** Whom a token authenticates, and where. */
export interface TokenLogin {
  mechanism: TokenMechanism;
  host: string;
  port: number;
  user: string;
  token: string;
}

/** How a server replies to a token. */
export interface TokenReply {
  /** The final reply. */
  reply: string;
  /** Why the server rejects the token, decoded from its challenge: by convention JSON. It may repeat the token. */
  challenge?: string;
}

/**
 * Sends an access token, by OAUTHBEARER (RFC 7628 section 3.1) or XOAUTH2. A server that rejects it says why in a
 * challenge, and rejects the command once the client has answered that (section 3.2.3).
 *
 * @param command sends a line, and returns the reply
 * @see https://developers.google.com/workspace/gmail/imap/xoauth2-protocol
 */
export async function sendToken(
  login: TokenLogin,
  command: (line: string) => Promise<string>,
): Promise<TokenReply> {
  const { mechanism } = login;
  const response = initialResponse(login);
  const initial = `AUTH ${mechanism} ${response}`;
  let reply: string;
  if (initial.length <= COMMAND_MAX_OCTETS) {
    reply = await command(initial);
  } else {
    // RFC 4954 section 4: a longer command omits the response, and waits for an empty challenge.
    reply = await command(`AUTH ${mechanism}`);
    if (isChallenge(reply)) reply = await command(response);
  }
  if (!isChallenge(reply)) return { reply };
  const challenge = decodeChallenge(reply);
  return { reply: await command(mechanism === "OAUTHBEARER" ? base64("\x01") : ""), challenge };
}

/** The client's message with the token, in base64. */
export function initialResponse({ mechanism, host, port, user, token }: TokenLogin): string {
  if (mechanism === "XOAUTH2") return base64(`user=${user}\x01auth=Bearer ${token}\x01\x01`);
  // RFC 5801 section 4.
  const authorizationId = user.replaceAll("=", "=3D").replaceAll(",", "=2C");
  return base64(`n,a=${authorizationId},\x01host=${host}\x01port=${port}\x01auth=Bearer ${token}\x01\x01`);
}

function isChallenge(reply: string): boolean {
  return reply.startsWith("334");
}

function decodeChallenge(reply: string): string {
  return Buffer.from(reply.slice(4), "base64").toString("utf8");
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
