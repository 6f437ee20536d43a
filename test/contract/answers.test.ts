import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, newAdministrator, refusalFor, seen } from "../support/administrator.ts";
import { answer, notFound, saved, tooLarge, unauthorized, wrongMediaType } from "../support/answers.ts";
import { type Call, call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { sampleSettings } from "../support/samples.ts";

const LIMIT = 16 * 1024;

const notJson = answer(400, "BAD_REQUEST", "The body must be a JSON object.");
const notUtf8 = answer(400, "BAD_REQUEST", "The body must be encoded in UTF-8.");

/** The sample request, filled up with spaces to a number of bytes. */
function sampleOf(bytes: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(sampleSettings).padEnd(bytes, " "));
}

/** A body in chunks, which therefore has no Content-Length. */
function streamed(bytes: Uint8Array): ReadableStream {
  const chunks = [bytes.subarray(0, 1000), bytes.subarray(1000, 9000), bytes.subarray(9000)];
  return new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
}

describe.each(families)("answers, $family", ({ address }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  const refusalOf = (changes: Call) => refusalFor(ada, changes);

  describe("to a body's size", () => {
    it("are the same for one of exactly 16 KiB as for a small one", async () => {
      expect(await seen(await ada.send({ body: sampleOf(LIMIT) }))).toEqual(saved);
      expect((await ada.opened()).settings.host).toBe("smtp.gmail.com");
    });

    it("refuse a byte more", async () => {
      expect(await refusalOf({ body: sampleOf(LIMIT + 1) })).toEqual(tooLarge);
    });

    it("refuse a byte more that is only declared", async () => {
      const headers = { "Content-Length": String(LIMIT + 1) };
      expect(await refusalOf({ body: "{}", headers, env: {} })).toEqual(tooLarge);
    });

    it.each([{}, { env: {} }])(
      "refuse a byte more that comes without a declared length (%j)",
      async (how) => {
        expect(await refusalOf({ body: streamed(sampleOf(LIMIT + 1)), ...how })).toEqual(tooLarge);
      },
    );

    it("refuse a byte more, though less is declared", async () => {
      const headers = { "Content-Length": "10" };
      expect(await refusalOf({ body: sampleOf(LIMIT + 1), headers })).toEqual(tooLarge);
    });

    it("accept exactly 16 KiB that come without a declared length", async () => {
      expect(await seen(await ada.send({ body: streamed(sampleOf(LIMIT)), env: {} }))).toEqual(saved);
      expect((await ada.opened()).settings.host).toBe("smtp.gmail.com");
    });
  });

  describe("to a body's media type", () => {
    it.each([
      "application/json; charset=utf-8",
      "application/json;charset=UTF-8",
      "Application/JSON",
      " application/json ; x=y",
    ])("accept %s", async (type) => {
      const response = await ada.send({ body: sampleSettings, headers: { "Content-Type": type } });
      expect(await seen(response)).toEqual(saved);
      expect(await ada.sealed()).not.toBeNull();
    });

    it.each([
      "text/plain",
      "application/x-www-form-urlencoded",
      "application/jsonp",
      "text/json",
      "application/merge-patch+json",
      "text/plain; application/json",
      "",
    ])("refuse %j", async (type) => {
      const headers = { "Content-Type": type };
      expect(await refusalOf({ body: sampleSettings, headers })).toEqual(wrongMediaType);
    });

    it("refuse a request without body and type", async () => {
      expect(await refusalOf({})).toEqual(wrongMediaType);
    });
  });

  describe("to what is not JSON", () => {
    it.each([
      "{",
      "",
      "host=smtp.example.net",
      `${JSON.stringify(sampleSettings)}}`,
      "{'host': 'a'}",
      "NaN",
      "[".repeat(LIMIT),
    ])("are a 400 for %.30j", async (body) => {
      expect(await refusalOf({ body })).toEqual(notJson);
    });

    it.each([
      ["a lone continuation byte", [0x80]],
      ["an overlong form", [0xc0, 0xaf]],
      ["a surrogate", [0xed, 0xa0, 0x80]],
      ["Latin-1", [0xe9]],
    ])("are a 400 for a password in %s", async (_, password) => {
      const [head, tail] = JSON.stringify({ ...sampleSettings, password: "@" }).split('"@"');
      const encoder = new TextEncoder();
      const body = Uint8Array.of(...encoder.encode(`${head}"`), ...password, ...encoder.encode(`"${tail}`));
      expect(await refusalOf({ body })).toEqual(notUtf8);
    });
  });

  describe("to a wrong method", () => {
    it.each(["PUT", "PATCH", "OPTIONS", "PROPFIND"])(
      "are a 405 for %s, naming the right ones",
      async (method) => {
        const response = await ada.send({ method });
        const allowed = response.headers.get("Allow")?.split(", ").toSorted();
        expect(allowed).toEqual(["DELETE", "GET", "HEAD", "POST"]);
        expect(await seen(response)).toEqual(
          answer(405, "METHOD_NOT_ALLOWED", `Use one of these methods: ${response.headers.get("Allow")}.`),
        );
      },
    );
  });

  it.each(["/", "s", "/../other", "/%2e%2e/mail", "/test"])(
    "are a 404 for an address that ends in %j",
    async (end) => {
      const response = await call(`${ada.url}${end}`, { token: ada.token });
      expect(await seen(response)).toEqual(notFound);
    },
  );

  it("have WWW-Authenticate without an error code where no token was sent", async () => {
    const response = await call(ada.url);
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(await seen(response)).toEqual(unauthorized);
  });

  it("have WWW-Authenticate with invalid_token where a bad token was sent", async () => {
    const response = await call(ada.url, { token: "x.y.z" });
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer error="invalid_token"');
    expect(await seen(response)).toEqual(unauthorized);
  });
});
