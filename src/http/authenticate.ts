import { createMiddleware } from "hono/factory";
import type { JWTVerifyGetKey } from "jose";
import { callerOf } from "../auth/caller.ts";
import { IssuerKeys } from "../auth/issuer-keys.ts";
import { hasRole } from "../auth/roles.ts";
import { verifyToken } from "../auth/verify-token.ts";
import { type Config, expand } from "../config.ts";
import { RefusedError } from "../errors.ts";
import type { AppEnv } from "./app-env.ts";

/**
 * Lets a request on only with a bearer token of the request's own tenant, and with an administrator's role.
 *
 * @see RFC 6750 sections 2.1 and 3
 */
export function authenticate() {
  const issuerKeys = new IssuerKeys();
  return createMiddleware<AppEnv>(async function authenticate(c, next) {
    const { config, tenant } = c.var;
    const names = { tenant, hostname: config.hostname };
    const rules = {
      issuers: config.issuers.map((template) => expand(template, names)),
      audience: config.audience,
      keysOf: (issuer: string) => keysOf(issuer, names, config, issuerKeys),
    };
    const claims = await verifyToken(bearerToken(c.req.header("Authorization")), rules, new Date());
    c.set("caller", callerOf(claims));
    if (!hasRole(claims, config.adminRoles))
      throw new RefusedError({ kind: "role_missing", roles: config.adminRoles });
    await next();
  });
}

function keysOf(
  issuer: string,
  names: Readonly<Record<string, string>>,
  { inlineKeys, jwksUri }: Config,
  issuerKeys: IssuerKeys,
): JWTVerifyGetKey {
  return inlineKeys ?? issuerKeys.at(expand(jwksUri, { ...names, issuer }));
}

function bearerToken(authorization: string | undefined): string {
  const [scheme, token, ...rest] = (authorization ?? "").trim().split(/ +/);
  if (scheme?.toLowerCase() !== "bearer" || token === undefined) {
    throw new RefusedError({ kind: "unauthorized", tokenSent: false, reason: "no bearer token" });
  }
  if (rest.length > 0) {
    throw new RefusedError({ kind: "unauthorized", tokenSent: true, reason: "more than one token" });
  }
  return token;
}
