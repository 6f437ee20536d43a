import { generateKeyPair, type JWTPayload } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { IntrospectionUnavailableError, TokenError } from "../../src/auth/errors.ts";
import {
  INTROSPECTION_COOLDOWN_MS,
  INTROSPECTION_MAX_AGE_MS,
  INTROSPECTION_MAX_BYTES,
  INTROSPECTION_MAX_ISSUERS,
  INTROSPECTION_MAX_SESSION_TOKENS,
  INTROSPECTION_MAX_TOKENS,
  INTROSPECTION_TIMEOUT_MS,
  Introspections,
} from "../../src/auth/introspection.ts";
import { LOCK_MARGIN_MS } from "../../src/auth/shared-fetch.ts";
import { advanceClock, restoreClock } from "../support/clock.ts";
import { eventually } from "../support/eventually.ts";

/** When a fetch that never settles is presumed lost. */
const LOCK_MS = INTROSPECTION_TIMEOUT_MS + LOCK_MARGIN_MS;

const ISSUER = "https://issuer.test/realms/acme";
const ENDPOINT = `${ISSUER}/introspect`;
const CLAIMS = { active: true, iss: ISSUER, jti: "one", aud: ["tenant-mail"], preferred_username: "ada" };
const UNREACHABLE = "the introspection endpoint is unreachable";

const { privateKey } = await generateKeyPair("ES256");
const rules = {
  issuer: ISSUER,
  endpoint: ENDPOINT,
  clientId: "tenant-mail",
  key: { key: privateKey, kid: "client-1" },
  audience: "tenant-mail",
  isPrivileged: ({ realm_access }: JWTPayload) => realm_access !== undefined,
};

beforeEach(() => {
  advanceClock(0);
  // Polls without real waiting.
  vi.spyOn(scheduler, "wait").mockImplementation(() => new Promise((resolve) => setTimeout(resolve)));
});

afterEach(() => {
  restoreClock();
  vi.restoreAllMocks();
});

describe("an introspection", () => {
  it("returns the claims of the response", async () => {
    const { introspect, fetch } = introspectionsWith(respond(CLAIMS));
    expect(await introspect("token")).toEqual(CLAIMS);
    expect(fetch).toHaveBeenCalledExactlyOnceWith(
      ENDPOINT,
      expect.objectContaining({ method: "POST", redirect: "manual", signal: expect.any(AbortSignal) }),
    );
  });

  it("aborts at its time limit", async () => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    const { introspect, fetch } = introspectionsWith(
      (_, { signal }) =>
        new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    const outcome = expectUnavailable(introspect("token"), UNREACHABLE);
    await eventually(() => expect(fetch).toHaveBeenCalled());
    limit.abort(new DOMException("too slow", "TimeoutError"));
    await outcome;
    expect(timeout).toHaveBeenCalledExactlyOnceWith(INTROSPECTION_TIMEOUT_MS);
  });

  it("is kept alive beyond its request", async () => {
    const keepAlive = vi.fn();
    await new Introspections(respond(CLAIMS), keepAlive).introspect(jwtOf("token"), verified(), rules);
    expect(keepAlive).toHaveBeenCalledExactlyOnceWith(expect.any(Promise));
  });

  it.each<[string, object, string]>([
    ["is inactive", { active: false }, "token is not active, or not for INTROSPECTION_CLIENT_ID"],
    [
      "is of another issuer",
      { ...CLAIMS, iss: "https://evil.test" },
      "iss of the introspected token is another issuer",
    ],
    ["is another token", { ...CLAIMS, jti: "two" }, "jti of the introspected token is another token's"],
    ["is sender-constrained", { ...CLAIMS, cnf: { jkt: "x" } }, "cnf is not supported"],
    [
      "is for another audience",
      { ...CLAIMS, aud: ["account"] },
      "aud of the introspected token lacks AUDIENCE",
    ],
    ["has no audience", { ...CLAIMS, aud: undefined }, "aud of the introspected token lacks AUDIENCE"],
  ])("rejects a token that %s", async (_, json, reason) => {
    const { introspect } = introspectionsWith(respond(json));
    await expect(introspect("token")).rejects.toThrow(new TokenError(reason));
  });

  it("accepts any audience where none is required", async () => {
    const introspections = new Introspections(respond({ ...CLAIMS, aud: undefined }), () => {});
    const claims = await introspections.introspect(jwtOf("token"), verified(), {
      ...rules,
      audience: undefined,
    });
    expect(claims).toMatchObject({ preferred_username: "ada" });
  });

  it.each([403, 404])("rejects the token if the endpoint responds %i", async (status) => {
    const { introspect } = introspectionsWith(async () => new Response("{}", { status }));
    const reason = `the introspection endpoint responded ${status}`;
    await expect(introspect("token")).rejects.toThrow(new TokenError(reason));
  });

  it.each<[string, () => Promise<Response>, string]>([
    ["is unreachable", () => Promise.reject(new Error("refused")), UNREACHABLE],
    ...[302, 400, 401, 429, 500].map((status): [string, () => Promise<Response>, string] => [
      `responds ${status}`,
      async () => new Response("{}", { status }),
      `the introspection endpoint responded ${status}`,
    ]),
    [
      "responds in HTML",
      async () => new Response("<html>", { headers: { "Content-Type": "text/html" } }),
      "the introspection endpoint's response is malformed",
    ],
    [
      "does not say whether the token is active",
      respond({}),
      "the introspection endpoint's response is malformed",
    ],
    [
      "responds with too many bytes",
      respond({ ...CLAIMS, more: "x".repeat(INTROSPECTION_MAX_BYTES) }),
      "the introspection endpoint's response is too large",
    ],
  ])("is unavailable if the endpoint %s", async (_, fetch, reason) => {
    await expectUnavailable(introspectionsWith(fetch).introspect("token"), reason);
  });
});

describe("the cache of introspections", () => {
  it("keeps an active token for a minute", async () => {
    const { introspect, fetch } = introspectionsWith(respond(CLAIMS));
    await introspect("token");
    advanceClock(INTROSPECTION_MAX_AGE_MS - 1);
    await introspect("token");
    expect(fetch).toHaveBeenCalledTimes(1);
    advanceClock(1);
    await introspect("token");
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("keeps no token past its exp", async () => {
    const { introspections, fetch } = introspectionsWith(respond(CLAIMS));
    const claims = verified({ exp: Date.now() / 1000 + 10 });
    await introspections.introspect(jwtOf("token"), claims, rules);
    advanceClock(9_999);
    await introspections.introspect(jwtOf("token"), claims, rules);
    expect(fetch).toHaveBeenCalledTimes(1);
    advanceClock(1);
    await introspections.introspect(jwtOf("token"), claims, rules);
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it.each([
    ["an inactive token", respond({ active: false })],
    ["a failure", async () => new Response("", { status: 500 })],
  ])("keeps %s for a few seconds only", async (_, failing) => {
    const { introspect, fetch } = introspectionsWith(failing);
    await expect(introspect("token")).rejects.toThrow();
    advanceClock(INTROSPECTION_COOLDOWN_MS - 1);
    await expect(introspect("token")).rejects.toThrow();
    expect(fetch).toHaveBeenCalledTimes(1);
    advanceClock(1);
    fetch.mockImplementation(respond(CLAIMS));
    expect(await introspect("token")).toEqual(CLAIMS);
  });

  it("distinguishes tokens", async () => {
    const { introspect, fetch } = introspectionsWith(respond(CLAIMS));
    await introspect("token");
    await introspect("other");
    expect(fetch).toHaveBeenCalledTimes(2);
  });

  it("lets concurrent requests with a token share one introspection", async () => {
    const response = Promise.withResolvers<Response>();
    const { introspect, fetch } = introspectionsWith(() => response.promise);
    const requests = Array.from({ length: 30 }, () => introspect("token"));
    await new Promise((resolve) => setTimeout(resolve));
    response.resolve(Response.json(CLAIMS));
    expect(await Promise.all(requests)).toEqual(requests.map(() => CLAIMS));
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("replaces a request that never settles", async () => {
    const { introspect, fetch } = introspectionsWith(() => new Promise(() => {}));
    void introspect("token");
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(1));
    advanceClock(LOCK_MS);
    fetch.mockImplementation(respond(CLAIMS));
    expect(await introspect("token")).toEqual(CLAIMS);
  });

  it("limits the tokens of an issuer that are in progress, and not those of another", async () => {
    const { introspect, introspections, fetch } = introspectionsWith(() => new Promise(() => {}));
    for (let index = 0; index < INTROSPECTION_MAX_TOKENS; index++) void introspect(`token-${index}`);
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_TOKENS));
    await expectUnavailable(introspect("one more"), "too many introspections at the same time");
    const issuer = "https://issuer.test/realms/globex";
    fetch.mockImplementation(respond({ ...CLAIMS, iss: issuer }));
    const other = introspections.introspect(jwtOf("token"), verified(), { ...rules, issuer });
    expect(await other).toMatchObject({ iss: issuer });
  });

  it("waits for room that another introspection leaves", async () => {
    const responses = Array.from({ length: INTROSPECTION_MAX_TOKENS }, () =>
      Promise.withResolvers<Response>(),
    );
    const pending = responses.values();
    const { introspect, fetch } = introspectionsWith(
      async () => pending.next().value?.promise ?? Response.json(CLAIMS),
    );
    const started = responses.map((_, index) => introspect(`token-${index}`));
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_TOKENS));
    const stranger = introspect("stranger");
    responses[0]?.resolve(Response.json(CLAIMS));
    expect(await stranger).toEqual(CLAIMS);
    for (const response of responses) response.resolve(Response.json(CLAIMS));
    await Promise.all(started);
  });

  it("evicts the oldest token of an issuer that has too many", async () => {
    const { introspect, fetch } = introspectionsWith(respond(CLAIMS));
    for (let index = 0; index <= INTROSPECTION_MAX_TOKENS; index++) await introspect(`token-${index}`);
    await introspect("token-1");
    expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_TOKENS + 1);
    await introspect("token-0");
    expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_TOKENS + 2);
  });

  it("does not distinguish the forms of a token's signature", async () => {
    const { introspections, fetch } = introspectionsWith(respond(CLAIMS));
    for (const signature of ["one", "other"]) {
      await introspections.introspect(`header.payload.${signature}`, verified(), rules);
    }
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it("limits the tokens of a session that are in progress, and not those of another", async () => {
    const { introspect, fetch } = introspectionsWith(() => new Promise(() => {}));
    for (let index = 0; index < INTROSPECTION_MAX_SESSION_TOKENS; index++)
      void introspect(`token-${index}`, "one");
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_SESSION_TOKENS));
    await expectUnavailable(introspect("one more", "one"), "too many introspections at the same time");
    fetch.mockImplementation(respond(CLAIMS));
    expect(await introspect("token", "other")).toEqual(CLAIMS);
  });

  it("evicts the tokens of a session that has too many, and not those of another", async () => {
    const { introspect, fetch } = introspectionsWith(respond(CLAIMS));
    await introspect("mine", "mine");
    for (let index = 0; index < 30; index++) await introspect(`token-${index}`, "one");
    expect(fetch).toHaveBeenCalledTimes(31);
    await introspect("mine", "mine");
    expect(fetch).toHaveBeenCalledTimes(31);
  });

  it("neither evicts nor crowds out who is known to have a role", async () => {
    const administrator = { ...CLAIMS, realm_access: { roles: ["admin"] } };
    const { introspect, fetch } = introspectionsWith(respond(administrator));
    await introspect("administrator", "administrator");
    fetch.mockImplementation(respond(CLAIMS));
    for (let index = 0; index < 30; index++) await introspect(`token-${index}`);
    fetch.mockClear();
    expect(await introspect("administrator", "administrator")).toEqual(administrator);
    expect(fetch).not.toHaveBeenCalled();
    fetch.mockImplementation(() => new Promise(() => {}));
    for (let index = 0; index < INTROSPECTION_MAX_TOKENS; index++) void introspect(`hanging-${index}`);
    await eventually(() => expect(fetch).toHaveBeenCalledTimes(INTROSPECTION_MAX_TOKENS));
    await expectUnavailable(introspect("stranger"), "too many introspections at the same time");
    fetch.mockImplementation(respond(administrator));
    expect(await introspect("renewed", "administrator")).toEqual(administrator);
  });

  it("tells sessions without sid apart by sub", async () => {
    const { introspections, fetch } = introspectionsWith(respond(CLAIMS));
    const introspect = (name: string, sub: string) =>
      introspections.introspect(jwtOf(name), verified({ sub }), rules);
    await introspect("mine", "ada");
    for (let index = 0; index < 30; index++) await introspect(`token-${index}`, "eve");
    fetch.mockClear();
    await introspect("mine", "ada");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("gives a token without sid and sub no share in the role of another", async () => {
    const { introspections, fetch } = introspectionsWith(
      respond({ ...CLAIMS, realm_access: { roles: ["admin"] } }),
    );
    const introspect = (name: string) =>
      introspections.introspect(jwtOf(name), verified({ azp: "admin-cli" }), rules);
    await introspect("administrator");
    fetch.mockImplementation(respond(CLAIMS));
    for (let index = 0; index < 50; index++) await introspect(`token-${index}`);
    fetch.mockClear();
    await introspect("administrator");
    expect(fetch).not.toHaveBeenCalled();
  });

  it("evicts the issuer that was used least recently", async () => {
    const issuers = Array.from({ length: INTROSPECTION_MAX_ISSUERS + 1 }, (_, index) => `${ISSUER}-${index}`);
    const { introspections, fetch } = introspectionsWith(() => Promise.resolve(new Response()));
    const at = (issuer = "") => {
      fetch.mockImplementation(respond({ ...CLAIMS, iss: issuer }));
      return introspections.introspect(jwtOf("token"), verified(), { ...rules, issuer });
    };
    for (const issuer of issuers) await at(issuer);
    await at(issuers[1]);
    expect(fetch).toHaveBeenCalledTimes(issuers.length);
    await at(issuers[0]);
    expect(fetch).toHaveBeenCalledTimes(issuers.length + 1);
  });
});

function introspectionsWith(fetch: (url: string, init: RequestInit) => Promise<Response>) {
  const spy = vi.fn(fetch);
  const introspections = new Introspections(spy, () => {});
  const introspect = (token: string, sid = `session of ${token}`) =>
    introspections.introspect(jwtOf(token), verified({ sid }), rules);
  return { introspections, introspect, fetch: spy };
}

/** A token of three parts, which differs from others in its payload. */
function jwtOf(name: string): string {
  return `header.${name}.signature`;
}

/** Claims of a lightweight token. */
function verified(changes: JWTPayload = {}): JWTPayload {
  return { iss: ISSUER, jti: "one", exp: Date.now() / 1000 + 300, ...changes };
}

function respond(json: object): () => Promise<Response> {
  return async () => Response.json(json);
}

async function expectUnavailable(outcome: Promise<unknown>, reason: string): Promise<void> {
  await expect(outcome).rejects.toThrow(new IntrospectionUnavailableError(reason));
}
