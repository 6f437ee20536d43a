import { waitUntil } from "cloudflare:workers";
import { base64url, type JWTPayload } from "jose";
import * as oauth from "oauth4webapi";
import { SafeError } from "../errors.ts";
import { IntrospectionUnavailableError, TokenError } from "./errors.ts";
import {
  INTROSPECTION_COOLDOWN_MS,
  INTROSPECTION_LOCK_MS,
  INTROSPECTION_MAX_AGE_MS,
  INTROSPECTION_MAX_BYTES,
  INTROSPECTION_MAX_ISSUERS,
  INTROSPECTION_MAX_TOKENS,
  INTROSPECTION_POLL_MS,
  INTROSPECTION_TIMEOUT_MS,
} from "./limits.ts";
import { readText } from "./read-text.ts";

/** How to introspect the tokens of one issuer. */
export interface IntrospectionRules {
  issuer: string;
  /** Address of the introspection endpoint. */
  endpoint: string;
  clientId: string;
  /** Authenticates the client (RFC 7523 section 2.2). */
  key: { key: CryptoKey; kid: string };
  /** Value that `aud` must contain, if any. */
  audience: string | undefined;
}

/** What is known about a token. */
interface Entry {
  /** When the request in progress counts as lost. */
  lockedUntil: number | undefined;
  outcome: { result: JWTPayload | SafeError; until: number } | undefined;
}

type IntrospectionFetch = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Introspects tokens (RFC 7662), and caches the responses in the isolate by the hash of the token. Concurrent
 * requests with the same token share one introspection. Each issuer has a bounded number of tokens, in progress
 * and cached together.
 *
 * Workers forbids awaiting a promise of another request, so requests poll an entry while one of them introspects.
 */
export class Introspections {
  readonly #fetch: IntrospectionFetch;
  readonly #keepAlive: (work: Promise<unknown>) => void;
  readonly #issuers = new Map<string, Map<string, Entry>>();

  /** Uses the runtime's `fetch` and `waitUntil` by default. */
  constructor(
    fetch: IntrospectionFetch = (url, init) => globalThis.fetch(url, init),
    keepAlive = (work: Promise<unknown>): void => waitUntil(work),
  ) {
    this.#fetch = fetch;
    this.#keepAlive = keepAlive;
  }

  /**
   * Returns the claims of a token as its issuer knows them.
   *
   * @param verified claims of the token, whose signature is valid
   * @throws {TokenError} if the token is not active, or not for the audience
   * @throws {IntrospectionUnavailableError}
   */
  async introspect(token: string, verified: JWTPayload, rules: IntrospectionRules): Promise<JWTPayload> {
    const entry = this.#entryOf(rules.issuer, await hashOf(token));
    const deadline = Date.now() + INTROSPECTION_LOCK_MS;
    while (!isFresh(entry)) {
      if (!isLocked(entry)) {
        const work = this.#request(entry, token, verified, rules);
        this.#keepAlive(work);
        return claimsOrThrow(await work);
      }
      if (Date.now() >= deadline)
        throw new IntrospectionUnavailableError("timed out waiting for introspection");
      await scheduler.wait(INTROSPECTION_POLL_MS);
    }
    return claimsOrThrow(entry.outcome.result);
  }

  async #request(
    entry: Entry,
    token: string,
    verified: JWTPayload,
    rules: IntrospectionRules,
  ): Promise<JWTPayload | SafeError> {
    entry.lockedUntil = Date.now() + INTROSPECTION_LOCK_MS;
    const result = await this.#claimsOf(token, verified, rules).catch((error: unknown) =>
      error instanceof SafeError
        ? error
        : new IntrospectionUnavailableError("the introspection endpoint is unreachable"),
    );
    const now = Date.now();
    const expiresAt = (verified.exp ?? 0) * 1000;
    const until =
      result instanceof SafeError
        ? now + INTROSPECTION_COOLDOWN_MS
        : Math.min(now + INTROSPECTION_MAX_AGE_MS, expiresAt);
    entry.outcome = { result, until };
    entry.lockedUntil = undefined;
    return result;
  }

  async #claimsOf(token: string, verified: JWTPayload, rules: IntrospectionRules): Promise<JWTPayload> {
    const server = { issuer: rules.issuer, introspection_endpoint: rules.endpoint };
    const client = { client_id: rules.clientId };
    // The issuer as `aud` keeps a realm from using the assertion in another one.
    const authentication = oauth.PrivateKeyJwt(rules.key);
    const response = await oauth.introspectionRequest(server, client, authentication, token, {
      headers: { "User-Agent": "tenant-mail" },
      signal: AbortSignal.timeout(INTROSPECTION_TIMEOUT_MS),
      [oauth.customFetch]: async (url: string, init: RequestInit) => bounded(await this.#fetch(url, init)),
    });
    const claims: JWTPayload & { active?: unknown } = await oauth
      .processIntrospectionResponse(server, client, response)
      .catch(() => {
        throw new IntrospectionUnavailableError("the introspection endpoint's response is malformed");
      });
    checkClaims(claims, verified, rules);
    return claims;
  }

  #entryOf(issuer: string, hash: string): Entry {
    const entries = this.#issuers.get(issuer) ?? new Map<string, Entry>();
    this.#issuers.delete(issuer);
    if (this.#issuers.size >= INTROSPECTION_MAX_ISSUERS) deleteFirst(this.#issuers);
    this.#issuers.set(issuer, entries);
    const known = entries.get(hash);
    if (known !== undefined) return known;
    if (entries.size >= INTROSPECTION_MAX_TOKENS) evict(entries);
    const entry: Entry = { lockedUntil: undefined, outcome: undefined };
    entries.set(hash, entry);
    return entry;
  }
}

/** Makes room for a token. One in progress stays: forgetting it would lift the limit. */
function evict(entries: Map<string, Entry>): void {
  const idle = entries.entries().find(([, entry]) => !isLocked(entry));
  if (idle === undefined) throw new IntrospectionUnavailableError("too many introspections at the same time");
  entries.delete(idle[0]);
}

function deleteFirst(map: Map<string, unknown>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}

function isFresh(entry: Entry): entry is Entry & { outcome: object } {
  return entry.outcome !== undefined && Date.now() < entry.outcome.until;
}

function isLocked({ lockedUntil }: Entry): boolean {
  return lockedUntil !== undefined && Date.now() < lockedUntil;
}

function claimsOrThrow(result: JWTPayload | SafeError): JWTPayload {
  if (result instanceof SafeError) throw result;
  return result;
}

async function hashOf(token: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(token));
  return base64url.encode(new Uint8Array(digest));
}

/** Reads a response up to its limit, and rejects those that are no introspection response. */
async function bounded(response: Response): Promise<Response> {
  const { status, headers } = response;
  if (status !== 200) {
    await response.body?.cancel();
    const reason = `the introspection endpoint responded ${status}`;
    // Keycloak responds 403 for a disabled realm, and 404 for one that does not exist.
    if (status === 403 || status === 404) throw new TokenError(reason);
    throw new IntrospectionUnavailableError(reason);
  }
  const tooLarge = new IntrospectionUnavailableError("the introspection endpoint's response is too large");
  return new Response(await readText(response, INTROSPECTION_MAX_BYTES, tooLarge), { status, headers });
}

/** The response must be about the verified token, and the token must be one that we accept. */
function checkClaims(
  claims: JWTPayload & { active?: unknown },
  { jti }: JWTPayload,
  { issuer, audience }: IntrospectionRules,
): void {
  // Keycloak also responds so if the client is not in `aud`.
  if (claims.active !== true) throw new TokenError("token is not active, or not for INTROSPECTION_CLIENT_ID");
  if (claims.iss !== issuer) throw new TokenError("iss of the introspected token is another issuer");
  if (claims.jti !== jti) throw new TokenError("jti of the introspected token is another token's");
  if ("cnf" in claims) throw new TokenError("cnf is not supported");
  if (audience !== undefined && ![claims.aud].flat().includes(audience)) {
    throw new TokenError("aud of the introspected token lacks AUDIENCE");
  }
}
