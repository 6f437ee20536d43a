import { type Context, Hono, type MiddlewareHandler } from "hono";
import { methodNotAllowed } from "hono/method-not-allowed";
import { RefusedError } from "./errors.ts";
import { healthRoutes, oneVerdict } from "./health/routes.ts";
import { historyRoutes } from "./history/routes.ts";
import type { AppEnv } from "./http/app-env.ts";
import { authenticate } from "./http/authenticate.ts";
import { configuration } from "./http/configuration.ts";
import { httpsOnly } from "./http/https-only.ts";
import { passThrough } from "./http/pass-through.ts";
import { type Answer, answerTo, internalServerError } from "./http/refusal.ts";
import { requestLog } from "./http/request-log.ts";
import { responseHeaders } from "./http/response-headers.ts";
import { tenantFromHost, tenantFromPath } from "./http/tenant.ts";
import { openApiRoutes } from "./openapi/routes.ts";
import { settingsRoutes } from "./settings/routes.ts";
import { testRoutes } from "./settings/test-routes.ts";

export const app = new Hono<AppEnv>();

app.use(requestLog(), responseHeaders(), httpsOnly(), passThrough());
app.use("/digitanium/v4/mail/health", oneVerdict());
app.use(configuration());

app.use(
  methodNotAllowed({
    app,
    onMethodNotAllowed: (_, allowed) => {
      throw new RefusedError({ kind: "method_not_allowed", allowed });
    },
  }),
);

const authenticated = authenticate();

export const routes = app
  .route("/digitanium/v4/mail", publicRoutes())
  .route("/digitanium/v4/mail", tenantRoutes("config", tenantFromHost()))
  .route("/auth/realms/:tenantId/mail", tenantRoutes("setup", tenantFromPath()));

app.notFound((c) => respond(c, answerTo({ kind: "not_found", reason: "no such path" })));

app.onError((error, c) =>
  respond(c, error instanceof RefusedError ? answerTo(error.refusal) : internalServerError()),
);

function publicRoutes() {
  return new Hono<AppEnv>().route("/", healthRoutes()).route("/", openApiRoutes());
}

function tenantRoutes<Resource extends "config" | "setup">(
  resource: Resource,
  tenant: MiddlewareHandler<AppEnv>,
) {
  return new Hono<AppEnv>()
    .use(tenant)
    .route("/", settingsRoutes(resource, authenticated))
    .route("/", historyRoutes(resource, authenticated))
    .route("/", testRoutes(authenticated));
}

function respond(c: Context<AppEnv>, { httpStatus, body, headers }: Answer) {
  return c.json(body, httpStatus, headers);
}
