import type { Context, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { createMiddleware } from "hono/factory";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";

/** Largest request body unless a route allows more, in bytes. Real settings take less than 1 KiB. */
const BODY_MAX_BYTES = 16 * 1024;

/**
 * Rejects a body that is not JSON in UTF-8, is compressed or is too large. Other bytes would decode to U+FFFD and so
 * be stored as another password.
 *
 * @throws {ApiError} `unsupported_media_type`, `unsupported_content_coding`, `content_too_large`, `not_json`
 */
export function jsonBody(maxBytes = BODY_MAX_BYTES) {
  return every(jsonMediaType(), identityCoding(), bodyAtMost(maxBytes), utf8Json(maxBytes));
}

/** Like {@link jsonBody}, and reads `null`, and an absent or empty body of any media type, as `{}`. */
export function optionalJsonBody() {
  const limited = bodyAtMost(BODY_MAX_BYTES);
  const json = every(jsonMediaType(), identityCoding(), utf8Json(BODY_MAX_BYTES));
  return createMiddleware<AppEnv>(async function optionalJsonBody(c, next) {
    if (c.req.raw.body === null) return withEmptyObject(c, next);
    // A stream may be empty, so count its bytes before its media type matters.
    return limited(c, async () => {
      const { byteLength } = await c.req.arrayBuffer();
      if (byteLength === 0) return withEmptyObject(c, next);
      await json(c, async () => ((await c.req.json()) === null ? withEmptyObject(c, next) : next()));
    });
  });
}

function withEmptyObject(c: Context, next: Next): Promise<void> {
  c.req.bodyCache = { json: Promise.resolve({}) };
  return next();
}

// Ignores parameters: `charset` has no meaning for JSON (RFC 8259 section 11).
function jsonMediaType() {
  return createMiddleware<AppEnv>(async function jsonMediaType(c, next) {
    const mediaType = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (mediaType !== "application/json") throw new ApiError("unsupported_media_type");
    await next();
  });
}

/** A body is never decompressed: a few bytes may stand for gigabytes (RFC 9110 section 8.4). */
function identityCoding() {
  return createMiddleware<AppEnv>(async function identityCoding(c, next) {
    const codings = (c.req.header("Content-Encoding") ?? "").split(",").map((coding) => coding.trim());
    const isCoded = codings.some((coding) => coding !== "" && coding.toLowerCase() !== "identity");
    if (isCoded) throw new ApiError("unsupported_content_coding");
    await next();
  });
}

function bodyAtMost(maxBytes: number) {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new ApiError("content_too_large", { maxBytes });
    },
  });
}

function utf8Json(maxBytes: number) {
  return createMiddleware<AppEnv>(async function utf8Json(c, next) {
    const bytes = await c.req.arrayBuffer();
    // bodyLimit trusts Content-Length, and a service binding may declare less than it sends.
    if (bytes.byteLength > maxBytes) throw new ApiError("content_too_large", { maxBytes });
    // Hono's validator decodes these bytes again, without an error for invalid ones.
    assertJson(decode(bytes));
    await next();
  });
}

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new ApiError("not_json", { message: "The body must be encoded in UTF-8." });
  }
}

function assertJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new ApiError("not_json", { message: "The body must be a JSON object." });
  }
}
