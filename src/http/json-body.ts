import { bodyLimit } from "hono/body-limit";
import { createMiddleware } from "hono/factory";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

/** Lets a request on only with a body that says it is JSON. Parameters such as `charset` are ignored (RFC 8259). */
export function jsonMediaType() {
  return createMiddleware<AppEnv>(async function jsonMediaType(c, next) {
    const mediaType = c.req.header("Content-Type")?.split(";")[0]?.trim().toLowerCase();
    if (mediaType !== "application/json") throw new RefusedError({ kind: "unsupported_media_type" });
    await next();
  });
}

/** Lets a request on only with a body of at most `maxBytes`, counted and not only declared. */
export function bodyAtMost(maxBytes: number) {
  return bodyLimit({
    maxSize: maxBytes,
    onError: () => {
      throw new RefusedError({ kind: "content_too_large", maxBytes });
    },
  });
}

/**
 * Lets a request on only with a body that is JSON in UTF-8, which the validator then finds parsed. Bytes
 * that are not UTF-8 are refused: decoded to U+FFFD, they would be stored as another password.
 */
export function jsonBody() {
  return createMiddleware<AppEnv>(async function jsonBody(c, next) {
    const bytes = await c.req.arrayBuffer();
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
