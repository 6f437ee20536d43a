import { beforeEach, describe, expect, it } from "vitest";
import { type Administrator, errorResponse, newAdministrator } from "../support/administrator.ts";
import { call } from "../support/client.ts";
import { families } from "../support/families.ts";
import { BODY_MAX_BYTES, inChunks, jsonOfLength } from "../support/request-body.ts";
import {
  contentTooLarge,
  jsonResponse,
  notFound,
  nothingStored,
  readJson,
  saved,
  unauthorized,
  unsupportedContentCoding,
  unsupportedMediaType,
} from "../support/responses.ts";
import { sampleSettings } from "../support/samples.ts";

const notJson = jsonResponse(400, "BAD_REQUEST", "The body must be a JSON object.");

// test/middleware/json-body.test.ts holds the tables of bodies and media types.
describe.each(families)("request checks ($family)", ({ address, testAddress }) => {
  let ada: Administrator;
  beforeEach(async () => {
    ada = await newAdministrator(address);
  });

  it("accepts a body of exactly 16 KiB", async () => {
    const body = jsonOfLength(sampleSettings, BODY_MAX_BYTES);
    expect(await readJson(await ada.send({ body }))).toEqual(saved);
    expect((await ada.opened()).settings.host).toBe("smtp.gmail.com");
  });

  it.each([
    ["with a declared length", (bytes: Uint8Array) => bytes],
    ["without a declared length", inChunks],
  ])("rejects one byte more %s (413)", async (_, send) => {
    const body = send(jsonOfLength(sampleSettings, BODY_MAX_BYTES + 1));
    expect(await errorResponse(ada, { body })).toEqual(contentTooLarge);
  });

  it("rejects another media type (415)", async () => {
    const headers = { "Content-Type": "text/plain" };
    expect(await errorResponse(ada, { body: sampleSettings, headers })).toEqual(unsupportedMediaType);
  });

  it.each(["save", "test"])(
    "rejects a compressed body of a %s, and says what it accepts (415)",
    async (place) => {
      const url = place === "save" ? ada.url : testAddress(ada.tenant);
      const json = new Blob([JSON.stringify(sampleSettings)]).stream();
      const body = json.pipeThrough(new CompressionStream("gzip"));
      const response = await call(url, { token: ada.token, body, headers: { "Content-Encoding": "gzip" } });
      expect(response.headers.get("Accept-Encoding")).toBe("identity");
      expect(await readJson(response)).toEqual(unsupportedContentCoding);
      expect(await ada.sealed()).toBeNull();
    },
  );

  it("takes null in place of the body of a test", async () => {
    const response = await call(testAddress(ada.tenant), { token: ada.token, body: null });
    expect(await readJson(response)).toEqual(nothingStored);
  });

  it("rejects a POST without a body (415)", async () => {
    expect(await errorResponse(ada, {})).toEqual(unsupportedMediaType);
  });

  it("rejects a body that is not JSON (400)", async () => {
    expect(await errorResponse(ada, { body: "{" })).toEqual(notJson);
  });

  it("rejects a password in Latin-1 (400)", async () => {
    const [start = "", end = ""] = JSON.stringify({ ...sampleSettings, password: "@" }).split("@");
    const encoder = new TextEncoder();
    const body = Uint8Array.of(...encoder.encode(start), 0xe9, ...encoder.encode(end));
    expect(await errorResponse(ada, { body })).toEqual(
      jsonResponse(400, "BAD_REQUEST", "The body must be encoded in UTF-8."),
    );
  });

  it.each(["PUT", "PATCH", "OPTIONS", "PROPFIND"])(
    "rejects %s, and lists the allowed methods (405)",
    async (method) => {
      const response = await ada.send({ method });
      const allow = response.headers.get("Allow");
      expect(allow?.split(", ").toSorted()).toEqual(["DELETE", "GET", "HEAD", "POST"]);
      expect(await readJson(response)).toEqual(
        jsonResponse(405, "METHOD_NOT_ALLOWED", `Use one of these methods: ${allow}.`),
      );
    },
  );

  it.each(["/", "s", "/../other", "/%2e%2e/mail", "/test"])(
    "finds nothing at an address that ends in %j (404)",
    async (end) => {
      const response = await call(`${ada.url}${end}`, { token: ada.token });
      expect(await readJson(response)).toEqual(notFound);
    },
  );

  it("rejects a request without a token, without an error code (401)", async () => {
    const response = await call(ada.url);
    expect(response.headers.get("WWW-Authenticate")).toBe("Bearer");
    expect(await readJson(response)).toEqual(unauthorized);
  });

  it("rejects an invalid token with the error code invalid_token (401)", async () => {
    const response = await call(ada.url, { token: "x.y.z" });
    expect(response.headers.get("WWW-Authenticate")).toBe('Bearer error="invalid_token"');
    expect(await readJson(response)).toEqual(unauthorized);
  });
});
