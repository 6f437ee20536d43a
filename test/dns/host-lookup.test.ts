import { describe, expect, it, vi } from "vitest";
import { hostLookup } from "../../src/dns/host-lookup.ts";
import { encodeQuery } from "../../src/dns/message.ts";
import { dnsResponse } from "../support/resolver.ts";

const RESOLVER = "https://resolver.example/dns-query";

/** A lookup whose resolver responds like this, and what it was asked. */
function lookup(respond: (init: RequestInit) => Promise<Response> | Response, timeoutMs = 60_000) {
  const fetch = vi.fn(async (_url: string, init: RequestInit) => respond(init));
  const exists = hostLookup(RESOLVER, { fetch, timeoutMs });
  if (exists === undefined) throw new Error("there is no lookup");
  return { exists, fetch };
}

describe("hostLookup", () => {
  it.each([
    [0, true],
    [3, false],
    [2, undefined],
    [5, undefined],
  ])("after response code %i says that the host exists: %j", async (code, expected) => {
    expect(await lookup(() => dnsResponse(code)).exists("smtp.example.com")).toBe(expected);
  });

  it("sends one query in the wire format (RFC 8484)", async () => {
    const { exists, fetch } = lookup(() => dnsResponse(3));
    await exists("smtp.example.com");
    expect(fetch.mock.calls).toMatchObject([
      [
        RESOLVER,
        {
          method: "POST",
          headers: { "Content-Type": "application/dns-message", Accept: "application/dns-message" },
          body: encodeQuery("smtp.example.com"),
          redirect: "manual",
        },
      ],
    ]);
  });

  it.each(["192.0.2.1", "2001:db8::1", "127.0.0.1", "localhost", "mail", "mail.internal", "mail.local"])(
    "does not ask about %s",
    async (host) => {
      const { exists, fetch } = lookup(() => dnsResponse(3));
      expect(await exists(host)).toBeUndefined();
      expect(fetch).not.toHaveBeenCalled();
    },
  );

  it("does not exist without a resolver", () => {
    expect(hostLookup(undefined)).toBeUndefined();
  });
});

describe("hostLookup knows nothing if the resolver", () => {
  const headers = { "Content-Type": "application/dns-message" };

  it.each<[string, () => Response]>([
    ["fails", () => dnsResponse(3, { status: 500, headers })],
    ["redirects", () => dnsResponse(3, { status: 302, headers })],
    ["sends another type", () => dnsResponse(3, { headers: { "Content-Type": "text/html" } })],
    ["sends no type", () => dnsResponse(3, { headers: {} })],
    ["sends nothing", () => new Response(null, { headers })],
    ["sends part of a header", () => new Response(Uint8Array.from([0, 0, 0x81, 0x83]), { headers })],
    ["repeats the query", () => new Response(encodeQuery("smtp.example.com"), { headers })],
  ])("%s", async (_, respond) => {
    expect(await lookup(respond).exists("smtp.example.com")).toBeUndefined();
  });

  it("cannot be reached", async () => {
    const { exists } = lookup(() => {
      throw new TypeError("connection refused");
    });
    expect(await exists("smtp.example.com")).toBeUndefined();
  });

  it("does not respond in time", async () => {
    const { exists } = lookup(
      ({ signal }) =>
        new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
      10,
    );
    expect(await exists("smtp.example.com")).toBeUndefined();
  });
});

describe("hostLookup reads", () => {
  /** A response in these chunks, then without end. Counts the chunks that were read. */
  function endless(...chunks: number[][]) {
    const state = { pulled: 0, canceled: false };
    const body = new ReadableStream<Uint8Array>(
      {
        pull(controller) {
          controller.enqueue(Uint8Array.from(chunks[state.pulled++] ?? [0]));
        },
        cancel() {
          state.canceled = true;
        },
      },
      { highWaterMark: 0 },
    );
    return {
      state,
      response: new Response(body, { headers: { "Content-Type": "application/dns-message" } }),
    };
  }

  it("no more than the header, and cancels the rest", async () => {
    const { state, response } = endless([0, 0, 0x81], [0x83, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(await lookup(() => response).exists("smtp.example.com")).toBe(false);
    expect(state).toEqual({ pulled: 2, canceled: true });
  });
});
