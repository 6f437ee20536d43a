import type { Context, Next } from "hono";
import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import { BODY_MAX_BYTES } from "../limits.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Lets a request on only with a body of JSON, in UTF-8 and not too large. Bytes that are not UTF-8 are refused:
 * as U+FFFD, they would be stored as another password.
 */
export function jsonBody() {
  return every(jsonMediaType(), bodyAtMost(BODY_MAX_BYTES), utf8Json(BODY_MAX_BYTES));
}

/** As {@link jsonBody}; a request without a body, whatever type it declares, has an empty object. */
export function optionalJsonBody() {
  const limited = bodyAtMost(BODY_MAX_BYTES);
  const json = every(jsonMediaType(), utf8Json(BODY_MAX_BYTES));
  return createMiddleware<AppEnv>(async function optionalJsonBody(c, next) {
    if (c.req.raw.body === null) return withEmptyObject(c, next);
    // A stream may turn out to hold nothing, so its bytes are counted before its type is looked at.
    return limited(c, async () => {
      const { byteLength } = await c.req.arrayBuffer();
      await (byteLength === 0 ? withEmptyObject(c, next) : json(c, next));
    });
  });
}

function withEmptyObject(c: Context, next: Next): Promise<void> {
  c.req.bodyCache = { json: Promise.resolve({}) };
  return next();
}

// Parameters such as `charset` mean nothing for JSON (RFC 8259 section 11).
function jsonMediaType() {
  return createMiddleware<AppEnv>(async function jsonMediaType(c, next) {
    const mediaType = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (mediaType !== "application/json") throw new RefusedError({ kind: "unsupported_media_type" });
    await next();
  });
}

function bodyAtMost(maxBytes: number) {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new RefusedError({ kind: "content_too_large", maxBytes });
    },
  });
}

function utf8Json(maxBytes: number) {
  return createMiddleware<AppEnv>(async function utf8Json(c, next) {
    const bytes = await c.req.arrayBuffer();
    // A caller that is not HTTP, such as a service binding, may declare less than it sends.
    if (bytes.byteLength > maxBytes) throw new RefusedError({ kind: "content_too_large", maxBytes });
    // The validator reads these bytes again, and takes whatever it can make of them.
    requireJson(decode(bytes));
    await next();
  });
}

function decode(bytes: ArrayBuffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new RefusedError({ kind: "not_json", message: "The body must be encoded in UTF-8." });
  }
}

function requireJson(text: string): void {
  try {
    JSON.parse(text);
  } catch {
    throw new RefusedError({ kind: "not_json", message: "The body must be a JSON object." });
  }
}
