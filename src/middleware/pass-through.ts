import { createMiddleware } from "hono/factory";
import { passThroughHostname } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { ApiError } from "../errors.ts";
import { hostnameOf } from "./tenant.ts";

const MAIL_PATH = /^\/(auth\/realms\/[^/]+|digitanium\/v4)\/mail(\/|$)/;

/** Decodings before a path counts as hostile. Nobody encodes a path more than twice by accident. */
const MAX_DECODINGS = 5;

/**
 * Forwards other paths than ours to the origin, if `PASS_THROUGH` is on: Cloudflare's route patterns take no
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
 * (`;x=1`), with backslashes as slashes, slashes merged, dot segments resolved, and in any case.
 */
function isDisguisedMailPath(pathname: string): boolean {
  let path = pathname;
  for (let decodings = 0; decodings <= MAX_DECODINGS; decodings++) {
    if (MAIL_PATH.test(normalize(path))) return true;
    const decoded = decode(path);
    if (decoded === path) return false;
    path = decoded;
  }
  return true;
}

function normalize(path: string): string {
  const segments: string[] = [];
  for (const raw of path.replaceAll("\\", "/").split("/")) {
    const segment = raw
      .replace(/;.*$/s, "")
      .replace(/[\p{Cc}\s]/gu, "")
      .toLowerCase();
    if (segment === "..") segments.pop();
    else if (segment !== "" && segment !== ".") segments.push(segment);
  }
  return `/${segments.join("/")}`;
}

// Decodes what is valid, as a lenient origin does: decodeURIComponent rejects the whole path for one bad escape.
function decode(path: string): string {
  return path.replace(/%([0-9a-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}
