import { bodyLimit } from "hono/body-limit";
import { every } from "hono/combine";
import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import { BODY_MAX_BYTES } from "../limits.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Lets a request on only with a body of JSON, in UTF-8 and not too large; the validator then finds it
 * parsed. Bytes that are not UTF-8 are refused: decoded to U+FFFD, they would be stored as another password.
 */
export function jsonBody() {
  return every(jsonMediaType(), bodyAtMost(BODY_MAX_BYTES), parsedBody(BODY_MAX_BYTES));
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

function parsedBody(maxBytes: number) {
  return createMiddleware<AppEnv>(async function parsedBody(c, next) {
    const bytes = await c.req.arrayBuffer();
    // A caller that is not HTTP, such as a service binding, may declare less than it sends.
    if (bytes.byteLength > maxBytes) throw new RefusedError({ kind: "content_too_large", maxBytes });
    c.req.bodyCache.json = Promise.resolve(parse(bytes));
    await next();
  });
}

function parse(bytes: ArrayBuffer): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(bytes);
  } catch {
    throw new RefusedError({ kind: "not_json", message: "The body must be encoded in UTF-8." });
  }
  try {
    return JSON.parse(text);
  } catch {
    throw new RefusedError({ kind: "not_json", message: "The body must be a JSON object." });
  }
}
