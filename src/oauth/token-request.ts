import { SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import type { GRANT_TYPES } from "./grant-types.ts";
import { importSigningKey, type SigningKey } from "./private-key.ts";

/** Time limit of a token request, in milliseconds: it is part of a test, and of an open SMTP session. */
const REQUEST_TIMEOUT_MS = 8_000;

/** Largest response of a token endpoint, in bytes. Tokens of Entra take some 2 KiB. */
const RESPONSE_MAX_BYTES = 64 * 1024;

/** Lifetime of an assertion, in seconds. It is used at once. */
const ASSERTION_LIFETIME_SECONDS = 60;

/** Lifetime of a token without `expires_in`, in seconds: long enough for one drain. */
const DEFAULT_EXPIRES_IN_SECONDS = 60;

/** Maximum characters of an `error_description` that are shown. */
const DESCRIPTION_MAX_CHARACTERS = 300;

/** How to request an access token. One of `clientSecret` and `privateKey` is present. */
export interface TokenSettings {
  url: string;
  grantType: (typeof GRANT_TYPES)[number];
  clientId: string;
  scope: string | undefined;
  clientSecret: string | undefined;
  /** PKCS#8 in PEM, or a JWK. */
  privateKey: string | undefined;
  /** Subject of the assertion in a JWT bearer grant. */
  subject: string;
}

/** Why there is no token. */
export interface TokenFailure {
  /** `unreachable` includes 429 and 5xx: waiting may help. */
  kind: "unreachable" | "rejected" | "no_token";
  /** RFC 6749 section 5.2. */
  error?: string;
  /** One printable line, without secrets. */
  description?: string;
}

export type TokenResult =
  | { ok: true; token: string; expiresAt: number; cached: boolean }
  | { ok: false; failure: TokenFailure };

/**
 * Requests an access token. Redirects count as failures: they could lead to an internal address.
 *
 * @param fetch the runtime's, by default
 */
export async function requestToken(
  settings: TokenSettings,
  now: Date,
  fetch: (url: string, init: RequestInit) => Promise<Response> = (url, init) => globalThis.fetch(url, init),
): Promise<TokenResult> {
  const { url, clientId, scope, grantType, privateKey } = settings;
  const key = privateKey === undefined ? undefined : await importSigningKey(privateKey);
  const server: oauth.AuthorizationServer = { issuer: url, token_endpoint: url };
  const client: oauth.Client = { client_id: clientId };
  const options = {
    signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    [oauth.customFetch]: async (address: string, init: RequestInit) => limited(await fetch(address, init)),
  };
  try {
    const parameters = new URLSearchParams(scope === undefined ? {} : { scope });
    const authentication = authenticationOf(settings, key);
    if (grantType !== "client_credentials" && key !== undefined) {
      parameters.set("assertion", await assertionFor(settings, key, now));
    }
    const response = await oauth.genericTokenEndpointRequest(
      ...([server, client, authentication, grantType, parameters, options] as const),
    );
    if (response.status === 429 || response.status >= 500) {
      await response.body?.cancel();
      return failed({ kind: "unreachable", description: `The token endpoint responded ${response.status}.` });
    }
    const body = await oauth.processGenericTokenEndpointResponse(server, client, response);
    const lifetime = body.expires_in ?? DEFAULT_EXPIRES_IN_SECONDS;
    return { ok: true, token: body.access_token, expiresAt: now.getTime() + lifetime * 1000, cached: false };
  } catch (error) {
    return failed(failureOf(error, settings));
  }
}

function authenticationOf(settings: TokenSettings, key: SigningKey | undefined): oauth.ClientAuth {
  const { url, grantType, clientSecret } = settings;
  // In a JWT bearer grant, the assertion identifies the client.
  if (grantType !== "client_credentials") return () => {};
  if (key === undefined) return oauth.ClientSecretPost(clientSecret ?? "");
  return oauth.PrivateKeyJwt(key.key, {
    [oauth.modifyAssertion]: (header, payload) => {
      Object.assign(header, key.header);
      // Entra accepts the endpoint only (RFC 7523 section 3).
      payload.aud = url;
    },
  });
}

/** The assertion of a JWT bearer grant (RFC 7523 section 3). Google reads the scope from its claims. */
function assertionFor({ url, clientId, scope, subject }: TokenSettings, key: SigningKey, now: Date) {
  const issuedAt = Math.floor(now.getTime() / 1000);
  return new SignJWT(scope === undefined ? {} : { scope })
    .setProtectedHeader({ alg: key.alg, typ: "JWT", ...key.header })
    .setIssuer(clientId)
    .setSubject(subject)
    .setAudience(url)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_LIFETIME_SECONDS)
    .sign(key.key);
}

/** Reads a response up to its limit, so that an endless one takes no memory. */
async function limited(response: Response): Promise<Response> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > RESPONSE_MAX_BYTES) throw new Error("the response is too large");
    chunks.push(chunk);
  }
  const { status, headers } = response;
  return new Response(chunks.length === 0 ? null : new Blob(chunks), { status, headers });
}

function failureOf(error: unknown, settings: TokenSettings): TokenFailure {
  if (error instanceof oauth.ResponseBodyError) {
    const description = clean(error.error_description ?? "", settings);
    return { kind: "rejected", error: clean(error.error, settings), ...(description ? { description } : {}) };
  }
  if (error instanceof oauth.WWWAuthenticateChallengeError)
    return { kind: "rejected", error: "invalid_client" };
  // The endpoint has responded, but not as a token endpoint does.
  const responded =
    error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError;
  return { kind: responded ? "no_token" : "unreachable" };
}

/** Keeps what a person needs. Entra appends ids and a time, and an endpoint may repeat what it was sent. */
function clean(text: string, { clientSecret }: TokenSettings): string {
  const [reason = ""] = text.split(/\s*(Trace ID|Correlation ID|Timestamp):/);
  const redacted = clientSecret ? reason.replaceAll(clientSecret, "***") : reason;
  const line = redacted.replace(/[\p{C}\p{Z}\s]+/gu, " ").trim();
  return [...line].slice(0, DESCRIPTION_MAX_CHARACTERS).join("");
}

function failed(failure: TokenFailure): TokenResult {
  return { ok: false, failure };
}
