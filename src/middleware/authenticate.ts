import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import type { JWTPayload, JWTVerifyGetKey } from "jose";
import { callerOf } from "../auth/caller.ts";
import { IntrospectionUnavailableError, IssuerUnavailableError, TokenError } from "../auth/errors.ts";
import { Introspections } from "../auth/introspection.ts";
import { IssuerKeys } from "../auth/issuer-keys.ts";
import { formatRole, hasRole, hasRoleClaims, type Role } from "../auth/roles.ts";
import { verifyToken } from "../auth/verify-token.ts";
import type { Config } from "../config.ts";
import type { AppEnv } from "../context.ts";
import { ApiError, secondsUntil } from "../errors.ts";
import { tenantAddress } from "../http/tenant-id.ts";

/** One cache of keys, and one of introspections, per isolate: all routes share them. */
const issuerKeys = new IssuerKeys();
const introspections = new Introspections();

/**
 * Requires a bearer token of the request's own tenant, with one of the roles.
 *
 * @param rolesOf which of the configured roles
 * @throws {ApiError} `unauthorized`, `role_missing`, `issuer_unavailable`, `introspection_unavailable`
 * @see RFC 6750 sections 2.1 and 3
 */
export function authenticate(rolesOf: (config: Config) => readonly Role[]) {
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    const roles = rolesOf(c.var.config);
    const claims = await verify(c, bearerToken(c.req.header("Authorization"))).catch(rejectToken);
    c.set("caller", callerOf(claims));
    c.set("isAdministrator", hasRole(claims, c.var.config.adminRoles));
    if (!hasRole(claims, roles)) {
      // Introspection adds the roles that a lightweight token lacks.
      const hasNone = c.var.config.introspection === undefined && !hasRoleClaims(claims);
      throw new ApiError("role_missing", { roles: roles.map(formatRole), hasNone });
    }
    await next();
  });
}

async function verify(c: Context<AppEnv>, token: string): Promise<JWTPayload> {
  const { config, tenant } = c.var;
  const names = { tenant, hostname: config.hostname };
  const rules = {
    issuers: config.issuers.map((template) => tenantAddress(template, names)),
    audience: config.audience,
    introspectsWithoutRoles: config.introspection !== undefined,
    keysOf: (issuer: string): JWTVerifyGetKey =>
      config.inlineKeys ?? issuerKeys.at(tenantAddress(config.jwksUri, { ...names, issuer })),
  };
  const claims = await verifyToken(token, rules, new Date());
  const { iss: issuer } = claims;
  if (config.introspection === undefined || issuer === undefined || hasRoleClaims(claims)) return claims;
  const { clientId, key, uri } = config.introspection;
  const endpoint = tenantAddress(uri, { ...names, issuer });
  const { audience, adminRoles, senderRoles } = config;
  const isPrivileged = (introspected: JWTPayload) => hasRole(introspected, [...adminRoles, ...senderRoles]);
  const introspection = { issuer, endpoint, clientId, key, audience, isPrivileged };
  return introspections.introspect(token, claims, introspection);
}

function rejectToken(error: unknown): never {
  if (error instanceof TokenError) throw unauthorized(true, error.message);
  if (error instanceof IssuerUnavailableError) {
    const { message: reason, retryAt } = error;
    const left = retryAt === undefined ? {} : { retryAfterSeconds: secondsUntil(retryAt) };
    throw new ApiError("issuer_unavailable", { reason, ...left });
  }
  if (error instanceof IntrospectionUnavailableError) {
    throw new ApiError("introspection_unavailable", { reason: error.message });
  }
  throw error;
}

/**
 * The token in an Authorization header (RFC 6750 section 2.1).
 *
 * @throws {ApiError} `unauthorized`
 */
export function bearerToken(authorization: string | undefined): string {
  const [scheme, token, ...rest] = (authorization ?? "").trim().split(/ +/);
  if (scheme?.toLowerCase() !== "bearer" || token === undefined) throw unauthorized(false, "no bearer token");
  if (rest.length > 0) throw unauthorized(true, "more than one token");
  return token;
}

function unauthorized(tokenSent: boolean, reason: string): ApiError {
  return new ApiError("unauthorized", { tokenSent, reason });
}
