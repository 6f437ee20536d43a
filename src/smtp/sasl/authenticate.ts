import { defined } from "../../defined.ts";
import { TransportError } from "../transport-error.ts";
import type { Mechanism } from "./mechanism.ts";

/** RFC 5321 section 4.5.3.1.4, without CRLF. */
const COMMAND_MAX_OCTETS = 510;

/** RFC 4954 section 4. Some servers omit the space before an empty challenge (RFC 5321 section 4.2.1). */
const CHALLENGE = /^334(?: (.*))?$/;

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Replies to the AUTH command after which another mechanism may do (RFC 4954 sections 4 and 6, RFC 5321 section 4.2.4).
 * Any other may follow a check of the password, and each check may lock the account.
 */
const MECHANISM_REFUSED = /^50[014]([ -]|$)/;

/** Replies to the AUTH command of a server that has checked nothing, unless 5.7.8 says that it has. */
const AUTH_REFUSED = /^50[0-4](?![ -]5\.7\.8\b)([ -]|$)/;

/** Sends a line without its CRLF, and returns the reply. */
type Command = (line: string) => Promise<string>;

/** How a server replied to an authentication. */
interface SaslResult {
  mechanism: Mechanism;
  /** The reply that ended it. A challenge is one that the mechanism does not know, and that the client canceled. */
  reply: string;
  /** Whether the server refused the AUTH command itself, and so says nothing about password or token. */
  isAuthRefused: boolean;
  /** The last challenge that the mechanism answered, as text. OAuth: why the server rejects the token. */
  challenge?: string;
}

/**
 * Authenticates by the first mechanism that the server does not refuse (RFC 4954).
 *
 * @param mechanisms in order of preference
 * @returns the result of the last one tried
 * @throws what `command` throws
 */
export async function authenticate(
  [first, ...others]: readonly [Mechanism, ...Mechanism[]],
  command: Command,
): Promise<SaslResult> {
  let result = await exchange(first, command);
  for (const mechanism of others) {
    if (!result.isAuthRefused || !MECHANISM_REFUSED.test(result.reply)) break;
    try {
      result = await exchange(mechanism, command);
    } catch (error) {
      // The server closed after its refusal, which says more.
      if (error instanceof TransportError && error.kind === "closed" && error.reply === undefined) break;
      throw error;
    }
  }
  return result;
}

/** Ends, because a mechanism answers only as many challenges as it has responses. */
async function exchange(mechanism: Mechanism, command: Command): Promise<SaslResult> {
  const { name, initialResponse } = mechanism;
  let line = `AUTH ${name}`;
  let withheld = initialResponse;
  if (initialResponse !== undefined) {
    const complete = `${line} ${base64(initialResponse)}`;
    if (complete.length <= COMMAND_MAX_OCTETS) [line, withheld] = [complete, undefined];
  }
  let reply = await command(line);
  const isAuthRefused = AUTH_REFUSED.test(reply);
  let challenge: string | undefined;
  for (;;) {
    const [isChallenge, data = ""] = CHALLENGE.exec(reply) ?? [];
    if (isChallenge === undefined) {
      return { mechanism, reply, isAuthRefused, ...defined({ challenge }) };
    }
    let response = withheld;
    withheld = undefined;
    if (response === undefined) {
      const bytes = Buffer.from(data, "base64");
      challenge = bytes.toString("utf8");
      response = mechanism.next(BASE64.test(data) ? bytes : undefined);
    }
    if (response === undefined) {
      // RFC 4954 section 4. The result is known, whatever the server replies.
      await command("*").catch(() => {});
      return { mechanism, reply, isAuthRefused };
    }
    reply = await command(base64(response));
  }
}

function base64(text: string): string {
  return Buffer.from(text, "utf8").toString("base64");
}
