import { Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import type { AppEnv } from "./context.ts";
import { withLoginLimit } from "./delivery/limited-login.ts";
import { notifyOutbox, recentSettings } from "./delivery/outbox-client.ts";
import { deliveryRoutes } from "./delivery/routes.ts";
import { docsRoutes } from "./docs/routes.ts";
import { ApiError } from "./errors.ts";
import { healthRoutes } from "./health/routes.ts";
import { historyRoutes } from "./history/routes.ts";
import { toErrorResponse } from "./http/error-response.ts";
import { keycloakTarget } from "./keycloak/apply-settings.ts";
import { requireConfig } from "./middleware/config.ts";
import { httpsOnly } from "./middleware/https-only.ts";
import { passThrough } from "./middleware/pass-through.ts";
import { requestLog } from "./middleware/request-log.ts";
import { securityHeaders } from "./middleware/security-headers.ts";
import { tenantFromHost, tenantFromPath } from "./middleware/tenant.ts";
import { settingsRoutes, testRoutes } from "./settings/routes.ts";

export const app = new Hono<AppEnv>();

app.use(requestLog(), securityHeaders(), httpsOnly(), passThrough());

const health = app.route("/digitanium/v4/mail/health", healthRoutes());

app.use(requireConfig());
app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (_, allowed) => {
      throw new ApiError("method_not_allowed", { allowed });
    },
  }),
);

export const routes = health
  .route("/digitanium/v4/mail", docsRoutes())
  .route("/digitanium/v4/mail", tenantRoutes("config", tenantFromHost()))
  .route("/auth/realms/:tenantId/mail", tenantRoutes("setup", tenantFromPath()));

app.notFound((c) => c.json(...toErrorResponse(new ApiError("not_found", { reason: "no such path" }))));
app.onError((error, c) => c.json(...toErrorResponse(error)));

function tenantRoutes<Resource extends "config" | "setup">(
  resource: Resource,
  tenant: MiddlewareHandler<AppEnv>,
) {
  return new Hono<AppEnv>()
    .use(tenant)
    .route(`/${resource}`, settingsRoutes(keycloakTarget, notifyOutbox, recentSettings, withLoginLimit))
    .route(`/${resource}/history`, historyRoutes())
    .route("/test", testRoutes(withLoginLimit))
    .route("/messages", deliveryRoutes());
}
