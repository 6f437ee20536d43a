import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import { type Refusal, RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Writes one line of JSON a request, without anything that the request brought but its method, its tenant
 * and the subject of a verified token. Not even the path: it could hold a token pasted in the wrong place.
 */
export function requestLog() {
  return createMiddleware<AppEnv>(async function requestLog(c, next) {
    const startedAt = Date.now();
    c.set("requestId", crypto.randomUUID());
    await next();
    const { status } = c.res;
    const { requestId, tenant, family, caller } = c.var;
    const entry = {
      message: "request",
      requestId,
      tenant,
      family,
      method: c.req.method,
      route: routeOf(c),
      status,
      milliseconds: Date.now() - startedAt,
      subject: caller?.subject,
      ...(c.error === undefined ? {} : detailsOf(c.error)),
    };
    (status < 500 ? console.info : console.error)(JSON.stringify(entry));
  });
}

function routeOf(c: Context): string | undefined {
  const path = matchedRoutes(c).at(-1)?.path;
  return path === undefined || path.endsWith("*") ? undefined : path;
}

function detailsOf(error: Error): object {
  return error instanceof RefusedError ? refusalDetails(error.refusal) : unforeseenDetails(error);
}

function refusalDetails(refusal: Refusal): object {
  const { kind } = refusal;
  if (kind === "record_unreadable") return { refusal: kind, kid: refusal.kid, reason: refusal.reason };
  if (kind === "smtp_failed") {
    const { stage, smtpCode } = refusal.diagnosis;
    return { refusal: kind, stage, smtpCode };
  }
  return "reason" in refusal ? { refusal: kind, reason: refusal.reason } : { refusal: kind };
}

// A message may quote what it failed on, such as the body or a secret; the stack's frames never do.
function unforeseenDetails(error: Error): object {
  const frames = error.stack
    ?.replace(error.message, "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  return { error: error.name, frames: frames?.map((line) => line.trim()) };
}
