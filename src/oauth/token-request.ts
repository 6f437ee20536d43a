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
  /** How a client secret is sent first. Default: in the body. */
  method?: ClientSecretMethod | undefined;
}

/** How a client secret is sent: in the body or by HTTP Basic (RFC 7591 section 2). */
export type ClientSecretMethod = "client_secret_post" | "client_secret_basic";

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
  | { ok: true; token: string; expiresAt: number; cached: boolean; method?: ClientSecretMethod }
  | { ok: false; failure: TokenFailure };

export interface TokenRequestOptions extends TokenUrlPolicy {
  /** The runtime's, by default. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  timeoutMs?: number;
}

/**
 * Requests an access token. Redirects count as failures: they could lead to an internal address.
 *
 * A client secret that the endpoint refuses in the body is sent by HTTP Basic as well, or the other way round: RFC 6749
 * section 2.3.1 requires servers to support Basic only, and many support the body only.
 *
 * @throws {SafeError} if the private key is not valid
 */
export async function requestToken(
  settings: TokenSettings,
  { fetch = globalThis.fetch, timeoutMs = REQUEST_TIMEOUT_MS, ...policy }: TokenRequestOptions,
): Promise<TokenResult> {
  if (!isTokenUrlAllowed(settings.url, policy)) return failed({ kind: "forbidden" });
  const signal = AbortSignal.timeout(timeoutMs);
  const [first, ...others] = await authenticationsFor(settings);
  const result = await requestWith(first, settings, fetch, signal);
  for (const other of others) {
    if (!refusesClient(result)) break;
    const retried = await requestWith(other, settings, fetch, signal);
    // A further refusal says no more, and neither does what else an endpoint may respond to what it does not support.
    if (retried.ok || (retried.failure.kind === "rejected" && !refusesClient(retried))) return retried;
  }
  return result;
}

/** RFC 6749 section 5.2. */
function refusesClient(result: TokenResult): boolean {
  return !result.ok && result.failure.kind === "rejected" && result.failure.error === "invalid_client";
}

async function requestWith(
  { authentication, parameters, method }: Authentication,
  settings: TokenSettings,
  fetch: NonNullable<TokenRequestOptions["fetch"]>,
  signal: AbortSignal,
): Promise<TokenResult> {
  const { url, clientId, grantType } = settings;
  const requestedAt = Date.now();
  const server: oauth.AuthorizationServer = { issuer: url, token_endpoint: url };
  const client: oauth.Client = { client_id: clientId };
  const options: oauth.TokenEndpointRequestOptions = {
    // Some firewalls reject requests without User-Agent.
    headers: { "User-Agent": "tenant-mail" },
    signal,
    [oauth.customFetch]: (address, { headers, body, redirect }) =>
      fetchWithinLimits(() => fetch(address, { method: "POST", headers, body, redirect, signal })),
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
    return { ok: true, token, expiresAt, cached: false, ...defined({ method }) };
  } catch (error) {
    return failed(failureOf(error, settings, status));
  }
}

/** How the client proves who it is (RFC 6749 section 2.3), and what it asks for. */
interface Authentication {
  authentication: oauth.ClientAuth;
  parameters: URLSearchParams;
  /** Of a client secret. */
  method?: ClientSecretMethod;
}

/** In the order to try. */
async function authenticationsFor(
  settings: TokenSettings,
): Promise<readonly [Authentication, ...Authentication[]]> {
  const { url, grantType, scope, credential, method } = settings;
  const parameters = new URLSearchParams(defined({ scope }));
  if ("clientSecret" in credential) {
    const { clientSecret } = credential;
    // As Keycloak sends it.
    const inBody = {
      authentication: oauth.ClientSecretPost(clientSecret),
      parameters,
      method: "client_secret_post",
    } as const;
    const byBasic = {
      authentication: oauth.ClientSecretBasic(clientSecret),
      parameters,
      method: "client_secret_basic",
    } as const;
    return method === "client_secret_basic" ? [byBasic, inBody] : [inBody, byBasic];
  }
  const signingKey = await importSigningKey(credential.privateKey);
  if ("problem" in signingKey) throw new SafeError("the stored private key is not valid");
  if (grantType === "client_credentials")
    return [{ authentication: privateKeyJwt(signingKey, url), parameters }];
  parameters.set("assertion", await assertionFor(settings, signingKey));
  // The assertion identifies the client.
  return [{ authentication: () => {}, parameters }];
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

/** A secret in clear, and as HTTP Basic has it before base64: every other character percent-encoded. */
function formsOf(secret: string): string[] {
  const headers = new Headers();
  oauth.ClientSecretBasic(secret)({ issuer: "" }, { client_id: "" }, new URLSearchParams(), headers);
  const [, credentials = ""] = headers.get("Authorization")?.split(" ") ?? [];
  return [secret, atob(credentials).slice(1)];
}

function failed(failure: TokenFailure): TokenResult {
  return { ok: false, failure };
}
