import { describe, expect, it } from "vitest";
import { requestToken, type TokenRequestOptions, type TokenSettings } from "../../src/oauth/token-request.ts";
import type { Behavior } from "../support/issuer-network.ts";
import { requestsTo } from "../support/network.ts";
import { issuesToken, newTokenEndpoint, respondsWith } from "../support/oauth/endpoints.ts";

const settings: TokenSettings = {
  url: "",
  grantType: "client_credentials",
  clientId: "client-1",
  scope: undefined,
  credential: { clientSecret: "s3cret +/&=" },
  subject: "postmaster@example.com",
};

/** Requests a token of an endpoint that behaves like this. */
async function resultOf(behavior: Behavior, options: Partial<TokenRequestOptions> = {}) {
  const { url } = await newTokenEndpoint(behavior);
  return requestToken(
    { ...settings, url },
    { allowPrivateHosts: false, hostname: "mail.example.org", ...options },
  );
}

/** Requests a token with this `expires_in`, and asserts its lifetime. */
async function expectLifetime(expiresIn: number | undefined, milliseconds: number): Promise<void> {
  const before = Date.now();
  const result = await resultOf(issuesToken({ expires_in: expiresIn }));
  const expiresAt = result.ok ? result.expiresAt : 0;
  expect(expiresAt).toBeGreaterThanOrEqual(before + milliseconds);
  expect(expiresAt).toBeLessThanOrEqual(Date.now() + milliseconds);
}

/** A response that begins, and does not end before the request is aborted. */
async function neverEnds(_: string, { signal }: RequestInit): Promise<Response> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"access_token":'));
      signal?.addEventListener("abort", () => controller.error(signal.reason));
    },
  });
  return new Response(body, { headers: { "Content-Type": "application/json" } });
}

const page: Behavior = {
  kind: "respond",
  body: "<html>It works!</html>",
  headers: { "Content-Type": "text/html" },
};

describe.concurrent("A token endpoint counts as unreachable if it", () => {
  it("is down", async () => {
    const fetch = () => Promise.reject(new TypeError("Network connection lost."));
    const result = await requestToken(
      { ...settings, url: "https://login.example.net/token" },
      { allowPrivateHosts: false, hostname: "mail.example.org", fetch },
    );
    expect(result).toEqual({ ok: false, failure: { kind: "unreachable" } });
  });

  it.each([429, 500, 502, 503, 504, 530])("responds %i", async (status) => {
    const failure = { kind: "unreachable", status };
    expect(await resultOf({ kind: "respond", status, body: "" })).toEqual({ ok: false, failure });
    expect(await resultOf(respondsWith({ error: "invalid_client" }, status))).toEqual({ ok: false, failure });
  });

  it("calls itself temporarily unavailable, as Entra does", async () => {
    expect(await resultOf(respondsWith({ error: "temporarily_unavailable" }, 400))).toEqual({
      ok: false,
      failure: { kind: "unreachable", status: 400, error: "temporarily_unavailable" },
    });
  });

  it("does not respond in time", async () => {
    const failure = { kind: "unreachable" };
    expect(await resultOf({ kind: "held", body: "{}" }, { timeoutMs: 50 })).toEqual({ ok: false, failure });
  });

  it("begins a response, and does not end it in time", async () => {
    const failure = { kind: "unreachable" };
    expect(await resultOf(page, { timeoutMs: 50, fetch: neverEnds })).toEqual({ ok: false, failure });
  });
});

describe.concurrent("A token endpoint has issued no token if it responds with", () => {
  it.each<[string, Behavior, number]>([
    ["a page", page, 200],
    ["nothing", { kind: "respond", body: "" }, 200],
    ["JSON that is no object", respondsWith(["a-token"]), 200],
    ["no access_token", respondsWith({ token_type: "Bearer" }), 200],
    ["an empty access_token", issuesToken({ access_token: "" }), 200],
    ["an access_token that is no string", issuesToken({ access_token: { value: "a-token" } }), 200],
    ["an access_token with a control character", issuesToken({ access_token: "a\u0001auth=b" }), 200],
    ["no token_type", issuesToken({ token_type: undefined }), 200],
    ["another token_type", issuesToken({ token_type: "mac" }), 200],
    ["an expires_in that is no number", issuesToken({ expires_in: "soon" }), 200],
    ["404", { kind: "respond", status: 404, body: "not found" }, 404],
    ["204", respondsWith(undefined, 204), 204],
    ["an error that is no OAuth error", respondsWith({ error: { code: 400 } }, 400), 400],
  ])("%s", async (_, behavior, status) => {
    expect(await resultOf(behavior)).toEqual({ ok: false, failure: { kind: "no_token", status } });
  });

  it.each([301, 302, 303, 307, 308])("redirect %i, which is not followed", async (status) => {
    const target = `https://${crypto.randomUUID()}.example.net/token`;
    const redirect: Behavior = { kind: "respond", status, body: "", headers: { Location: target } };
    expect(await resultOf(redirect)).toEqual({ ok: false, failure: { kind: "no_token", status } });
    expect(await requestsTo(target)).toEqual([]);
  });

  it("more than 64 KiB", async () => {
    const failure = { kind: "no_token", status: 200 };
    expect(await resultOf({ kind: "huge", bytes: 64 * 1024 + 1 })).toEqual({ ok: false, failure });
    const padding = "x".repeat(64 * 1024);
    expect(await resultOf(issuesToken({ padding }))).toEqual({ ok: false, failure });
  });

  it("a body without end, of which it reads only the beginning", async () => {
    let chunks = 0;
    const body = new ReadableStream({
      pull(controller) {
        chunks++;
        controller.enqueue(new Uint8Array(1_024));
      },
    });
    const fetch = async () => new Response(body);
    expect(await resultOf(page, { fetch })).toEqual({
      ok: false,
      failure: { kind: "no_token", status: 200 },
    });
    expect(chunks).toBeLessThan(100);
  });
});

describe.concurrent("A token", () => {
  it("lives for 60 seconds if the response does not state its lifetime", async () => {
    await expectLifetime(undefined, 60_000);
  });

  it("lives for a day at most", async () => {
    await expectLifetime(1e300, 86_400_000);
  });

  it("counts although an ID token of an unknown issuer accompanies it", async () => {
    const result = await resultOf(issuesToken({ id_token: "not.a.token" }));
    expect(result).toMatchObject({ ok: true, token: "a-token" });
  });

  it("may take almost 64 KiB", async () => {
    const token = "x".repeat(60_000);
    expect(await resultOf(issuesToken({ access_token: token }))).toMatchObject({ ok: true, token });
  });
});

describe.concurrent("An OAuth error", () => {
  it("is read from a response that also has a challenge", async () => {
    const error = { error: "invalid_client", error_description: "Unknown client." };
    const behavior = respondsWith(error, 401, { "WWW-Authenticate": 'Basic realm="x"' });
    expect(await resultOf(behavior)).toEqual({
      ok: false,
      failure: { kind: "rejected", status: 401, error: "invalid_client", description: "Unknown client." },
    });
  });

  it.each([
    [
      "ends before the ids of Entra",
      "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1f\r\nCorrelation ID: 2e\r\nTimestamp: 2026-11-24",
      "AADSTS7000215: Invalid client secret provided.",
    ],
    [
      "ends before the ids of Entra in one line",
      "AADSTS7000222: Expired. Trace ID: 1f Correlation ID: 2e",
      "AADSTS7000222: Expired.",
    ],
    ["contains no control or formatting character", "a\u0000b\u001b[31m\u202ec\td\u2028e", "a b [31m c d e"],
    ["has at most 300 characters", "📧".repeat(400), "📧".repeat(300)],
    ["does not contain the client secret", "The secret s3cret +/&= is wrong.", "The secret *** is wrong."],
    [
      "does not contain the client secret as sent",
      "got client_secret=s3cret+%2B%2F%26%3D",
      "got client_secret=***",
    ],
    [
      "does not contain the client secret percent-encoded",
      `got client_secret=${encodeURIComponent("s3cret +/&=")}`,
      "got client_secret=***",
    ],
    ["does not contain the client secret as HTML", "got s3cret +/&amp;=", "got ***"],
    [
      "does not contain the client secret of HTTP Basic (RFC 6749 section 2.3.1)",
      `got Basic ${btoa("client-1:s3cret+%2B%2F%26%3D")}`,
      "got Basic Y2xpZW50LTE***",
    ],
    [
      "does not contain an assertion",
      "bad assertion: eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJhIn0.c2ln-_x.",
      "bad assertion: ***.",
    ],
  ])("has a description that %s", async (_, error_description, description) => {
    expect(await resultOf(respondsWith({ error: "invalid_request", error_description }, 400))).toEqual({
      ok: false,
      failure: { kind: "rejected", status: 400, error: "invalid_request", description },
    });
  });

  it("takes no longer for 60 KiB of spaces than for as many letters", async () => {
    const millisecondsFor = async (character: string) => {
      const startedAt = performance.now();
      const description = `${character.repeat(60 * 1024)}x`;
      await resultOf(respondsWith({ error: "invalid_request", error_description: description }, 400));
      return performance.now() - startedAt;
    };
    const control = await millisecondsFor("x");
    expect(await millisecondsFor(" ")).toBeLessThan(20 * control);
  });

  it("has a code without secrets and control characters", async () => {
    const error = `\u001b${"x".repeat(400)}`;
    expect(await resultOf(respondsWith({ error, error_description: "" }, 400))).toEqual({
      ok: false,
      failure: { kind: "rejected", status: 400, error: "x".repeat(300) },
    });
  });
});
