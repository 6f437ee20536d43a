import { SignJWT } from "jose";
import * as oauth from "oauth4webapi";
import { defined } from "../defined.ts";
import { SafeError } from "../errors.ts";
import { readText } from "../read-text.ts";
import { redact } from "../redact.ts";
import type { GRANT_TYPES } from "./grant-types.ts";
import { importSigningKey, type SigningKey } from "./private-key.ts";
import { isTokenUrlAllowed, type TokenUrlPolicy } from "./token-url.ts";

/** Time limit of a token request, in milliseconds: it is part of a test, and of an open SMTP session. */
const REQUEST_TIMEOUT_MS = 8_000;

/** Largest response of a token endpoint, in bytes. Tokens of Entra take some 2 KiB. */
const RESPONSE_MAX_BYTES = 64 * 1024;

/** Lifetime of an assertion, in seconds. It is used at once. */
const ASSERTION_LIFETIME_SECONDS = 60;

/** Lifetime of a token without `expires_in`, in seconds: long enough for one delivery run. */
const DEFAULT_EXPIRES_IN_SECONDS = 60;

/** Longest time that a token is kept, in seconds, whatever `expires_in` says. */
const LONGEST_EXPIRES_IN_SECONDS = 86_400;

/** Maximum characters of `error` and of `error_description` that are shown. */
const ERROR_MAX_CHARACTERS = 300;

/** How much of `error` and of `error_description` is read, in UTF-16 code units. Longer ones occur only in attacks. */
const ERROR_READ_MAX_LENGTH = 4_096;

/** How to request an access token. */
export interface TokenSettings {
  url: string;
  grantType: (typeof GRANT_TYPES)[number];
  clientId: string;
  scope: string | undefined;
  /** The private key is PKCS#8 in PEM, or a JWK. The JWT bearer grant requires one. */
  credential: { clientSecret: string } | { privateKey: string };
  /** Subject of the assertion in a JWT bearer grant. */
  subject: string;
}

/** Why there is no token. */
export interface TokenFailure {
  /**
   * `forbidden`: `isTokenUrlAllowed` rejects the address, so no request was sent. `unreachable` includes 429 and 5xx:
   * a later request may succeed. `rejected`: an OAuth error. `no_token`: any other response.
   */
  kind: "forbidden" | "unreachable" | "rejected" | "no_token";
  /** HTTP status of the response, if there is one. */
  status?: number;
  /** RFC 6749 section 5.2. */
  error?: string;
  /** One printable line, without secrets. */
  description?: string;
}

export type TokenResult =
  | { ok: true; token: string; expiresAt: number; cached: boolean }
  | { ok: false; failure: TokenFailure };

export interface TokenRequestOptions extends TokenUrlPolicy {
  /** The runtime's, by default. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  timeoutMs?: number;
}

/**
 * Requests an access token. Redirects count as failures: they could lead to an internal address.
 *
 * @throws {SafeError} if the private key is not valid
 */
export async function requestToken(
  settings: TokenSettings,
  { fetch = globalThis.fetch, timeoutMs = REQUEST_TIMEOUT_MS, ...policy }: TokenRequestOptions,
): Promise<TokenResult> {
  const { url, clientId, grantType } = settings;
  if (!isTokenUrlAllowed(url, policy)) return failed({ kind: "forbidden" });
  const requestedAt = Date.now();
  const { authentication, parameters } = await credentialsOf(settings);
  const server: oauth.AuthorizationServer = { issuer: url, token_endpoint: url };
  const client: oauth.Client = { client_id: clientId };
  const options: oauth.TokenEndpointRequestOptions = {
    // Some firewalls reject requests without User-Agent.
    headers: { "User-Agent": "tenant-mail" },
    signal: AbortSignal.timeout(timeoutMs),
    [oauth.customFetch]: (address, { method, headers, body, redirect, signal }) =>
      fetchWithinLimits(() => fetch(address, { method, headers, body, redirect, ...defined({ signal }) })),
  };
  let status: number | undefined;
  try {
    const response = await oauth.genericTokenEndpointRequest(
      server,
      client,
      authentication,
      grantType,
      parameters,
      options,
    );
    status = response.status;
    if (status === 429 || status >= 500) return failed({ kind: "unreachable", status });
    const { access_token: token, expires_in: expiresIn = DEFAULT_EXPIRES_IN_SECONDS } =
      await oauth.processGenericTokenEndpointResponse(server, client, response);
    // RFC 6749 appendix A.12. A control character would end the SASL message early.
    if (!/^[\x20-\x7e]+$/.test(token)) return failed({ kind: "no_token", status });
    const expiresAt = requestedAt + Math.min(expiresIn, LONGEST_EXPIRES_IN_SECONDS) * 1000;
    return { ok: true, token, expiresAt, cached: false };
  } catch (error) {
    return failed(failureOf(error, settings, status));
  }
}

/** How the client proves who it is (RFC 6749 section 2.3), and what it asks for. */
async function credentialsOf(
  settings: TokenSettings,
): Promise<{ authentication: oauth.ClientAuth; parameters: URLSearchParams }> {
  const { url, grantType, scope, credential } = settings;
  const parameters = new URLSearchParams(defined({ scope }));
  // In the body, as Keycloak sends it.
  if ("clientSecret" in credential) {
    return { authentication: oauth.ClientSecretPost(credential.clientSecret), parameters };
  }
  const signingKey = await importSigningKey(credential.privateKey);
  if ("problem" in signingKey) throw new SafeError("the stored private key is not valid");
  if (grantType === "client_credentials")
    return { authentication: privateKeyJwt(signingKey, url), parameters };
  parameters.set("assertion", await assertionFor(settings, signingKey));
  // The assertion identifies the client.
  return { authentication: () => {}, parameters };
}

/** Client authentication by `private_key_jwt` (RFC 7523 section 2.2). */
function privateKeyJwt({ key, alg, header }: SigningKey, url: string): oauth.ClientAuth {
  return oauth.PrivateKeyJwt(key, {
    [oauth.modifyAssertion]: (assertionHeader, payload) => {
      Object.assign(assertionHeader, { alg, typ: "JWT", ...header });
      // Entra accepts the endpoint only (RFC 7523 section 3).
      payload.aud = url;
    },
  });
}

/** The assertion of a JWT bearer grant (RFC 7523 section 2.1). Google reads the scope from its claims. */
function assertionFor({ url, clientId, scope, subject }: TokenSettings, { key, alg, header }: SigningKey) {
  const issuedAt = Math.floor(Date.now() / 1000);
  return new SignJWT(defined({ scope }))
    .setProtectedHeader({ alg, typ: "JWT", ...header })
    .setIssuer(clientId)
    .setSubject(subject)
    .setAudience(url)
    .setJti(crypto.randomUUID())
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + ASSERTION_LIFETIME_SECONDS)
    .sign(key);
}

/** The endpoint did not respond as it should, whatever it was asked. */
class EndpointError extends Error {
  readonly failure: TokenFailure;

  constructor(failure: TokenFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/**
 * Sends a request, and reads the response up to its limit, so that an endless one takes no memory.
 *
 * @throws {EndpointError}
 */
async function fetchWithinLimits(send: () => Promise<Response>): Promise<Response> {
  try {
    const response = await send();
    const { status, headers } = response;
    const tooLarge = new EndpointError({ kind: "no_token", status });
    const text = await readText(response, RESPONSE_MAX_BYTES, tooLarge);
    // Other headers are dropped: WWW-Authenticate would replace the error in the body.
    const contentType = headers.get("Content-Type") ?? "";
    return new Response(withoutIdToken(text) || null, { status, headers: { "Content-Type": contentType } });
  } catch (error) {
    throw error instanceof EndpointError ? error : new EndpointError({ kind: "unreachable" });
  }
}

/** Removes an ID token, which nobody needs here: its issuer is not known, so it would not be valid. */
function withoutIdToken(text: string): string {
  try {
    const { id_token: _, ...body } = JSON.parse(text);
    return _ === undefined ? text : JSON.stringify(body);
  } catch {
    return text;
  }
}

function failureOf(error: unknown, settings: TokenSettings, status?: number): TokenFailure {
  if (error instanceof EndpointError) return error.failure;
  if (error instanceof oauth.ResponseBodyError) {
    const [code, description] = [error.error, error.error_description ?? ""].map(
      (text) => clean(text, settings) || undefined,
    );
    // Entra's word for a service that is too busy.
    const kind = code === "temporarily_unavailable" ? "unreachable" : "rejected";
    return { kind, ...defined({ status, error: code, description }) };
  }
  if (error instanceof oauth.OperationProcessingError || error instanceof oauth.UnsupportedOperationError) {
    return { kind: "no_token", ...defined({ status }) };
  }
  throw error;
}

/** Keeps what a person needs. Entra appends ids and a time, and an endpoint may repeat what it was sent. */
function clean(text: string, { credential }: TokenSettings): string {
  const secrets = "clientSecret" in credential ? formsOf(credential.clientSecret) : [];
  // An endpoint may send 64 KiB, and the expressions below must not take time for it.
  const line = redact(text, secrets, ERROR_READ_MAX_LENGTH)
    .replace(/[\p{C}\p{Z}\s]+/gu, " ")
    // An assertion, or what is left of it.
    .replace(/\beyJ[\w-]+(?:\.[\w-]+){0,2}/g, "***");
  const [reason = ""] = line.split(/ ?(?:Trace ID|Correlation ID|Timestamp):/);
  return [...reason.trim()].slice(0, ERROR_MAX_CHARACTERS).join("");
}

/** A secret in clear, and as it is encoded before base64 (RFC 6749 section 2.3.1). */
function formsOf(secret: string): string[] {
  return [secret, new URLSearchParams({ "": secret }).toString().slice(1)];
}

function failed(failure: TokenFailure): TokenResult {
  return { ok: false, failure };
}
