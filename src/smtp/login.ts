import type { TokenFailure, TokenResult } from "../oauth/token-request.ts";
import { NEGATIVE, POSITIVE, parseReply, redactSecrets } from "./reply.ts";
import type { FailureKind } from "./result.ts";
import { authenticate } from "./sasl/authenticate.ts";
import { cramMd5 } from "./sasl/cram-md5.ts";
import { login } from "./sasl/login.ts";
import type { Mechanism } from "./sasl/mechanism.ts";
import { oauthBearer, xoauth2 } from "./sasl/oauth.ts";
import { plain } from "./sasl/plain.ts";
import { SessionError } from "./session-error.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

// In order of preference. Over TLS, the simplest mechanism is the most reliable.
const PASSWORD_MECHANISMS = { PLAIN: plain, LOGIN: login, "CRAM-MD5": cramMd5 };
const TOKEN_MECHANISMS = { XOAUTH2: xoauth2, OAUTHBEARER: oauthBearer };

const TOKEN_FAILURES = {
  forbidden: "token_forbidden",
  unreachable: "token_unreachable",
  rejected: "token_rejected",
  no_token: "token_missing",
} as const satisfies Record<TokenFailure["kind"], FailureKind>;

/** What a session does for its login. */
interface LoginSteps {
  /** Sends a line without its CRLF, and returns the reply. */
  command(line: string): Promise<string>;
  /** @param rejected a cached token that the server has just rejected */
  token(rejected?: string): Promise<TokenResult>;
}

/** How a server replied to a login. */
interface LoginResult {
  /** Name of the last SASL mechanism tried. */
  mechanism: string;
  /** The reply that ended it. Secrets are redacted. */
  reply: string;
  /** Whether the server refused the AUTH command itself, and so says nothing about password or token. */
  isAuthRefused: boolean;
}

/** The login of a session, by the user and the password or access token of its settings. */
export class Login {
  readonly #settings: SmtpSettings;
  /** All that were tried. */
  readonly #mechanisms: Mechanism[] = [];
  /** Why the server rejects an access token: one printable line. */
  challenge: string | undefined;

  constructor(settings: SmtpSettings) {
    this.#settings = settings;
  }

  /**
   * Authenticates by a mechanism that the server offers.
   *
   * @returns `undefined` if the server offers none for these settings
   * @throws {SessionError} if there is no token
   * @throws what `steps` throws
   */
  async run(offered: ReadonlySet<string>, steps: LoginSteps): Promise<LoginResult | undefined> {
    const { authType, host, port, user = "", password = "" } = this.#settings;
    if (authType !== "token") {
      const suitable = choose(PASSWORD_MECHANISMS, offered);
      return suitable && this.#authenticate(suitable, { user, password }, steps);
    }
    const suitable = choose(TOKEN_MECHANISMS, offered);
    if (suitable === undefined) return undefined;
    const { token, cached } = assertToken(await steps.token());
    const result = await this.#authenticate(suitable, { host, port, user, token }, steps);
    // The provider may have revoked a cached token before its time.
    if (!cached || !rejectsToken(result)) return result;
    const renewed = assertToken(await steps.token(token));
    return this.#authenticate(suitable, { host, port, user, token: renewed.token }, steps);
  }

  /** Redacts what a server repeats of the password, the token, and all that was sent for them. */
  redact(reply: string): string {
    return redactSecrets(
      reply,
      this.#mechanisms.flatMap(({ secrets }) => secrets),
    );
  }

  async #authenticate<Credentials>(
    suitable: Suitable<Credentials>,
    credentials: Credentials,
    { command }: LoginSteps,
  ): Promise<LoginResult> {
    const [first, ...others] = suitable;
    const mechanisms = [first(credentials), ...others.map((create) => create(credentials))] as const;
    this.#mechanisms.push(...mechanisms);
    const { mechanism, reply, isAuthRefused, challenge } = await authenticate(mechanisms, command);
    const isExplained = this.#settings.authType === "token" && !POSITIVE.test(reply);
    this.challenge = isExplained && challenge !== undefined ? this.#displayed(challenge) : undefined;
    return { mechanism: mechanism.name, reply: this.redact(reply), isAuthRefused };
  }

  /** A challenge in one printable line. Redaction comes first: what is cut off no longer looks like a token. */
  #displayed(challenge: string): string {
    return parseReply(this.redact(`334 ${challenge.replaceAll(/\s+/g, " ")}`)).text;
  }
}

type Suitable<Credentials> = [Create<Credentials>, ...Create<Credentials>[]];

type Create<Credentials> = (credentials: Credentials) => Mechanism;

/** The mechanisms that the server offers. */
function choose<Credentials>(
  supported: Record<string, Create<Credentials>>,
  offered: ReadonlySet<string>,
): Suitable<Credentials> | undefined {
  const [first, ...others] = Object.entries(supported).flatMap(([name, create]) =>
    offered.has(name) ? [create] : [],
  );
  return first && [first, ...others];
}

function assertToken(result: TokenResult): TokenResult & { ok: true } {
  if (result.ok) return result;
  throw new SessionError(TOKEN_FAILURES[result.failure.kind], { oauth: result.failure });
}

/** After 421, the connection is closed. */
function rejectsToken({ reply, isAuthRefused }: LoginResult): boolean {
  return NEGATIVE.test(reply) && !reply.startsWith("421") && !isAuthRefused;
}
