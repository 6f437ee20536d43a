import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { matchedRoutes } from "hono/route";
import type { AppEnv } from "../context.ts";
import type { ApiError } from "../errors.ts";
import { toApiError } from "../http/error-response.ts";
import { validTraceparent } from "../http/trace-context.ts";
import { log } from "../log.ts";

/**
 * Logs one line of JSON per request. From the request it has the method, the tenant and a valid `traceparent`, and from
 * a verified token the subject, the client and the id, which distinguish a stolen token from others of its owner. It
 * never has the path, which may contain a token pasted in the wrong place.
 */
export function requestLog() {
  return createMiddleware<AppEnv>(async function requestLog(c, next) {
    const startedAt = Date.now();
    c.set("requestId", crypto.randomUUID());
    await next();
    const { status } = c.res;
    const { requestId, tenant, family, caller, test } = c.var;
    log(status < 500 ? "info" : "error", "request", {
      requestId,
      traceparent: validTraceparent(c.req.header("traceparent")),
      tenant,
      family,
      method: c.req.method,
      route: routeOf(c),
      status,
      milliseconds: Date.now() - startedAt,
      subject: caller?.subject,
      client: caller?.client,
      tokenId: caller?.tokenId,
      test,
      ...(c.error && describe(c.error)),
    });
  });
}

function routeOf(c: Context): string | undefined {
  const path = matchedRoutes(c).at(-1)?.path;
  return path === undefined || path.endsWith("*") ? undefined : path;
}

/** The details of errors that belong in the log. */
type LoggedDetails = Partial<ApiError<"record_unreadable">["details"] & ApiError<"smtp_failed">["details"]>;

function describe(error: Error): object {
  const { kind, details }: ApiError = toApiError(error);
  if (kind === "internal") return { error: kind, ...describeUnexpected(error) };
  const { reason, kid, diagnosis } = details as LoggedDetails;
  return { error: kind, reason, kid, stage: diagnosis?.stage, smtpCode: diagnosis?.smtpCode };
}

// The message may quote what it failed on, such as a body or a secret. The frames of the stack never do.
function describeUnexpected({ name, message, stack }: Error): object {
  const frames = stack
    ?.replace(message, "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  return { exception: name, frames: frames?.map((line) => line.trim()) };
}
