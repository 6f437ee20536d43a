import { waitUntil } from "cloudflare:workers";
import { base64url, type JWTPayload } from "jose";
import * as oauth from "oauth4webapi";
import { readText } from "../read-text.ts";
import { signedPartOf } from "./compact-jws.ts";
import { IntrospectionUnavailableError, TokenError } from "./errors.ts";
import { type KeepAlive, POLL_MS, SharedFetch } from "./shared-fetch.ts";

/** Time limit of one introspection, body included, in milliseconds. */
export const INTROSPECTION_TIMEOUT_MS = 5_000;

/** How long an active token is not introspected again, in milliseconds: a logout takes effect within this time. */
export const INTROSPECTION_MAX_AGE_MS = 60_000;

/** How long a failure, or an inactive token, is not introspected again, in milliseconds. */
export const INTROSPECTION_COOLDOWN_MS = 5_000;

/** Largest introspection response, in bytes: the claims of a token, which has at most 16 KiB. */
export const INTROSPECTION_MAX_BYTES = 64 * 1024;

/**
 * Tokens per issuer, in progress and cached together: so many of sessions that are known to have a role, and so many of
 * others. A realm has few administrators at the same time, and with {@link INTROSPECTION_MAX_ISSUERS}, claims of 3 KiB
 * take 24 MiB of the isolate's 128 MiB.
 */
export const INTROSPECTION_MAX_TOKENS = 20;

/** Tokens per session that is not known to have a role. A client has one, its replicas have some. */
export const INTROSPECTION_MAX_SESSION_TOKENS = 5;

/** Issuers with cached introspections per isolate. */
export const INTROSPECTION_MAX_ISSUERS = 200;

const TOO_MANY = "too many introspections at the same time";

/** How to introspect the tokens of one issuer. */
interface IntrospectionRules {
  issuer: string;
  /** Address of the introspection endpoint. */
  endpoint: string;
  clientId: string;
  /** Authenticates the client (RFC 7523 section 2.2). */
  key: { key: CryptoKey; kid: string };
  /** Value that `aud` must contain, if any. */
  audience: string | undefined;
  /** Whether claims have a role that counts. */
  isPrivileged: (claims: JWTPayload) => boolean;
}

type IntrospectionFetch = (url: string, init: RequestInit) => Promise<Response>;

const UNAVAILABLE = {
  unreachable: "the introspection endpoint is unreachable",
  "timed out": "timed out waiting for introspection",
};

/**
 * Introspects tokens (RFC 7662), and caches the responses in the isolate by the hash of header and payload. Concurrent
 * requests with the same token share one introspection. Each issuer and each session has a bounded number of tokens, in
 * progress and cached together. Callers without a role neither evict nor crowd out those who are known to have one.
 */
export class Introspections {
  readonly #fetch: IntrospectionFetch;
  readonly #keepAlive: KeepAlive;
  readonly #issuers = new Map<string, IssuerTokens>();

  /** Uses the runtime's `fetch` and `waitUntil` by default. */
  constructor(
    fetch: IntrospectionFetch = (url, init) => globalThis.fetch(url, init),
    keepAlive: KeepAlive = (work) => waitUntil(work),
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
    const tokens = this.#tokensOf(rules.issuer);
    const hash = await hashOf(signedPartOf(token));
    const fetch = await this.#roomFor(hash, sessionOf(verified, hash), tokens);
    const isExpired = Date.now() >= (verified.exp ?? 0) * 1000;
    const maxAgeMs = isExpired ? 0 : INTROSPECTION_MAX_AGE_MS;
    const claims = await fetch.get(() => this.#claimsOf(token, verified, rules), maxAgeMs);
    if (rules.isPrivileged(claims)) tokens.privilege(hash);
    return claims;
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

  #tokensOf(issuer: string): IssuerTokens {
    const tokens = this.#issuers.get(issuer) ?? new IssuerTokens();
    this.#issuers.delete(issuer);
    if (this.#issuers.size >= INTROSPECTION_MAX_ISSUERS) deleteFirst(this.#issuers);
    this.#issuers.set(issuer, tokens);
    return tokens;
  }

  /** Waits for an introspection of others to end if there are too many: whoever starts them locks nobody out. */
  async #roomFor(hash: string, session: string, tokens: IssuerTokens): Promise<SharedFetch<JWTPayload>> {
    for (let poll = 0; poll < INTROSPECTION_TIMEOUT_MS / POLL_MS; poll++) {
      const fetch = tokens.at(hash, session, () => this.#newFetch());
      if (fetch !== undefined) return fetch;
      await scheduler.wait(POLL_MS);
    }
    throw new IntrospectionUnavailableError(TOO_MANY);
  }

  #newFetch(): SharedFetch<JWTPayload> {
    return new SharedFetch({
      timeoutMs: INTROSPECTION_TIMEOUT_MS,
      cooldownMs: INTROSPECTION_COOLDOWN_MS,
      keepAlive: this.#keepAlive,
      unavailable: (reason) => new IntrospectionUnavailableError(UNAVAILABLE[reason]),
    });
  }
}

/** What is known about a token. */
interface Entry {
  fetch: SharedFetch<JWTPayload>;
  session: string;
}

/** The tokens of one issuer, by their hashes: those of sessions with a role apart from the others. */
class IssuerTokens {
  readonly #privileged = new Map<string, Entry>();
  readonly #others = new Map<string, Entry>();

  /**
   * Returns what is known about a token.
   *
   * @returns `undefined` while there is no room for another
   * @throws {IntrospectionUnavailableError} if the session itself has too many in progress
   */
  at(
    hash: string,
    session: string,
    create: () => SharedFetch<JWTPayload>,
  ): SharedFetch<JWTPayload> | undefined {
    const known = this.#privileged.get(hash) ?? this.#others.get(hash);
    if (known !== undefined) return known.fetch;
    const isOfSession = (entry: Entry) => entry.session === session;
    const isPrivileged = this.#privileged.values().some(isOfSession);
    const entries = isPrivileged ? this.#privileged : this.#others;
    if (!isPrivileged && !makeRoom(entries, INTROSPECTION_MAX_SESSION_TOKENS, isOfSession)) {
      throw new IntrospectionUnavailableError(TOO_MANY);
    }
    if (!makeRoom(entries, INTROSPECTION_MAX_TOKENS)) return undefined;
    const fetch = create();
    entries.set(hash, { fetch, session });
    return fetch;
  }

  /** Keeps a token apart from those of callers without a role. */
  privilege(hash: string): void {
    const entry = this.#others.get(hash);
    if (entry === undefined || !makeRoom(this.#privileged, INTROSPECTION_MAX_TOKENS)) return;
    this.#others.delete(hash);
    this.#privileged.set(hash, entry);
  }
}

/**
 * Makes room for a token, by the oldest one if there are `max` of them. One in progress stays: forgetting it would lift
 * the limit.
 *
 * @param among which tokens count
 * @returns whether there is room
 */
function makeRoom(
  entries: Map<string, Entry>,
  max: number,
  among: (entry: Entry) => boolean = () => true,
): boolean {
  const counted = [...entries].filter(([, entry]) => among(entry));
  if (counted.length < max) return true;
  const idle = counted.find(([, { fetch }]) => !fetch.isFetching);
  return idle !== undefined && entries.delete(idle[0]);
}

/** Names the session of a token, or its subject. One that has neither is a session of its own. */
function sessionOf({ sid, sub }: JWTPayload, hash: string): string {
  return JSON.stringify(sid === undefined ? [sub ?? hash] : [sid, "sid"]);
}

function deleteFirst(map: Map<string, unknown>): void {
  const [first] = map.keys();
  if (first !== undefined) map.delete(first);
}

async function hashOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
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
