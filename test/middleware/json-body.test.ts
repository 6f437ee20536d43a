import { Hono } from "hono";
import { describe, expect, it } from "vitest";
import type { AppEnv } from "../../src/context.ts";
import { toErrorResponse } from "../../src/http/error-response.ts";
import { jsonBody, optionalJsonBody } from "../../src/middleware/json-body.ts";
import { BODY_MAX_BYTES, inChunks, jsonOfLength } from "../support/request-body.ts";
import {
  contentTooLarge,
  type JsonResponse,
  jsonResponse,
  readJson,
  unsupportedContentCoding,
  unsupportedMediaType,
} from "../support/responses.ts";

const JSON_TYPE = { "Content-Type": "application/json" };
const sent = { host: "smtp.example.net" };
const accepted = { httpStatus: 200, body: { received: sent } };
const notJson = jsonResponse(400, "BAD_REQUEST", "The body must be a JSON object.");
const notUtf8 = jsonResponse(400, "BAD_REQUEST", "The body must be encoded in UTF-8.");

const app = new Hono<AppEnv>();
app.onError((error, c) => c.json(...toErrorResponse(error)));
app.post("/json", jsonBody(), async (c) => c.json({ received: await c.req.json() }));
app.post("/optional", optionalJsonBody(), async (c) => c.json({ received: await c.req.json() }));

async function post(
  path: "/json" | "/optional",
  body: BodyInit | null,
  headers: Record<string, string> = JSON_TYPE,
): Promise<JsonResponse> {
  return readJson(await app.request(path, { method: "POST", body, headers }));
}

describe.each(["/json", "/optional"] as const)("the body of %s", (path) => {
  it.each([
    "application/json",
    "application/json; charset=utf-8",
    "application/json;charset=UTF-8",
    "Application/JSON",
    " application/json ; x=y",
  ])("may have the media type %j", async (type) => {
    expect(await post(path, JSON.stringify(sent), { "Content-Type": type })).toEqual(accepted);
  });

  it.each([
    "text/plain",
    "application/x-www-form-urlencoded",
    "application/jsonp",
    "text/json",
    "application/merge-patch+json",
    "text/plain; application/json",
    "",
  ])("must not have the media type %j", async (type) => {
    expect(await post(path, JSON.stringify(sent), { "Content-Type": type })).toEqual(unsupportedMediaType);
  });

  it.each(["identity", "Identity", " identity , identity", ""])(
    "may have the content coding %j",
    async (coding) => {
      const headers = { ...JSON_TYPE, "Content-Encoding": coding };
      expect(await post(path, JSON.stringify(sent), headers)).toEqual(accepted);
    },
  );

  it.each(["gzip", "GZIP", "br", "deflate", "zstd", "x-gzip", "identity, gzip", "gzip,identity", "*", '""'])(
    "must not have the content coding %j",
    async (coding) => {
      const headers = { ...JSON_TYPE, "Content-Encoding": coding };
      expect(await post(path, JSON.stringify(sent), headers)).toEqual(unsupportedContentCoding);
    },
  );

  it.each([
    ["", jsonOfLength(sent, BODY_MAX_BYTES)],
    [" without a declared length", inChunks(jsonOfLength(sent, BODY_MAX_BYTES))],
  ])("may have exactly 16 KiB%s", async (_, body) => {
    expect(await post(path, body)).toEqual(accepted);
  });

  it.each<[string, () => BodyInit, Record<string, string>]>([
    ["", () => jsonOfLength(sent, BODY_MAX_BYTES + 1), {}],
    [" that are only declared", () => "{}", { "Content-Length": String(BODY_MAX_BYTES + 1) }],
    [" without a declared length", () => inChunks(jsonOfLength(sent, BODY_MAX_BYTES + 1)), {}],
    [" declared as less", () => jsonOfLength(sent, BODY_MAX_BYTES + 1), { "Content-Length": "10" }],
  ])("must not have more than 16 KiB%s", async (_, body, headers) => {
    expect(await post(path, body(), { ...JSON_TYPE, ...headers })).toEqual(contentTooLarge);
  });

  it.each([
    "{",
    "host=smtp.example.net",
    `${JSON.stringify(sent)}}`,
    "{'host': 'a'}",
    "NaN",
    "[".repeat(BODY_MAX_BYTES),
  ])("must be JSON, unlike %.30j", async (body) => {
    expect(await post(path, body)).toEqual(notJson);
  });

  it.each([
    ["a lone continuation byte", [0x80]],
    ["an overlong form", [0xc0, 0xaf]],
    ["a surrogate", [0xed, 0xa0, 0x80]],
    ["Latin-1", [0xe9]],
  ])("must be UTF-8, without %s", async (_, bytes) => {
    const encoder = new TextEncoder();
    const body = Uint8Array.of(...encoder.encode('{"host":"'), ...bytes, ...encoder.encode('"}'));
    expect(await post(path, body)).toEqual(notUtf8);
  });
});

describe("jsonBody", () => {
  it("rejects a request without body and media type", async () => {
    expect(await post("/json", null, {})).toEqual(unsupportedMediaType);
  });

  it("rejects an empty body", async () => {
    expect(await post("/json", "")).toEqual(notJson);
  });
});

describe("optionalJsonBody", () => {
  it.each<[string, BodyInit | null, Record<string, string>]>([
    ["an absent body", null, {}],
    ["an empty body", "", JSON_TYPE],
    ["an empty body of another media type", "", { "Content-Type": "text/plain" }],
    ["an empty stream", inChunks(new Uint8Array()), {}],
    ["null", "null", JSON_TYPE],
    ["null among white space", " null\n", JSON_TYPE],
  ])("reads %s as an empty object", async (_, body, headers) => {
    expect(await post("/optional", body, headers)).toEqual({ httpStatus: 200, body: { received: {} } });
  });

  it("rejects null of another media type", async () => {
    expect(await post("/optional", "null", { "Content-Type": "text/plain" })).toEqual(unsupportedMediaType);
  });
});
