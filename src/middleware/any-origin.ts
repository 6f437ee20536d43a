import { cors } from "hono/cors";

/**
 * Lets scripts of any origin read a document that needs no token. Everything else stays closed to them: its callers are
 * servers, which need no permission.
 *
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
export function anyOrigin() {
  return cors({
    origin: "*",
    allowMethods: ["GET", "HEAD"],
    // All but Authorization.
    allowHeaders: ["*"],
    exposeHeaders: ["X-Request-Id"],
  });
}
