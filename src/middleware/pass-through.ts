import { createMiddleware } from "hono/factory";
import { passThroughHostname } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { hostnameOf } from "./tenant.ts";

const MAIL_PATH = /^\/(auth\/realms\/[^/]+|digitanium\/v4)\/mail(\/|$)/;

/** Decodings after which a path is treated as hostile. Nobody encodes a path more than twice by accident. */
const MAX_DECODINGS = 5;

/**
 * Forwards paths other than ours to the origin, if `PASS_THROUGH` is on: Cloudflare's route patterns take no
 * wildcard inside a path, so the SHIFT family shares the route `{hostname}/auth/realms/*` with Keycloak.
 * Request and response stay unchanged. Other spellings of our paths get 404: the origin would receive the
 * token and the password.
 *
 * @throws {ApiError} `not_found`
 * @see https://developers.cloudflare.com/workers/configuration/routing/routes/#matching-behavior
 */
export function passThrough() {
  return createMiddleware<AppEnv>(async function passThrough(c, next) {
    const hostname = passThroughHostname(c.env);
    const { pathname } = new URL(c.req.url);
    const isOurs = hostname === undefined || hostnameOf(c.req.url) !== hostname || MAIL_PATH.test(pathname);
    if (isOurs) return next();
    if (isDisguisedMailPath(pathname)) {
      throw new ApiError("not_found", { reason: "another spelling of a mail path" });
    }
    return fetch(c.req.raw);
  });
}

/**
 * Whether a lenient origin would read a path as one of ours: after repeated decoding, without matrix parameters
 * (`;x=1`) and an encoded query, with backslashes as slashes, slashes merged, dot segments resolved or not, without
 * invisible characters, and in any case or width.
 */
function isDisguisedMailPath(pathname: string): boolean {
  let path = pathname;
  for (let decodings = 0; decodings <= MAX_DECODINGS; decodings++) {
    const segments = segmentsOf(path);
    if ([segments, withoutDots(segments)].some(isMailPath)) return true;
    const decoded = decode(path);
    if (decoded === path) return false;
    path = decoded;
  }
  return true;
}

function isMailPath(segments: readonly string[]): boolean {
  return MAIL_PATH.test(`/${segments.join("/")}`);
}

function segmentsOf(path: string): string[] {
  const segments = path.normalize("NFKC").toLowerCase().split(/[/\\]/);
  return segments
    .map((segment) => segment.replace(/[;?#].*$/s, "").replace(/[\p{C}\p{Z}\ufffd]/gu, ""))
    .filter((segment) => segment !== "" && segment !== ".");
}

function withoutDots(segments: readonly string[]): string[] {
  const resolved: string[] = [];
  for (const segment of segments) {
    if (segment === "..") resolved.pop();
    else resolved.push(segment);
  }
  return resolved;
}

// Decodes what is valid, as a lenient origin does: decodeURIComponent rejects the whole path for one bad escape.
function decode(path: string): string {
  return path.replace(/(%[0-9a-f]{2})+/gi, (escapes) => {
    const bytes = escapes.split("%").slice(1);
    return new TextDecoder().decode(Uint8Array.from(bytes, (hex) => Number.parseInt(hex, 16)));
  });
}
