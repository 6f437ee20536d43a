import type { Family } from "../src/context.ts";
import { EXAMPLE_HOSTNAME } from "../src/docs/routes.ts";
import { TENANT_IDS } from "../src/http/tenant-id.ts";
import { historyPaths } from "./history.ts";
import { jsonSchemas } from "./lib/schemas.ts";
import type { OpenApiDocument, Parameter, PathItem, Server } from "./lib/types.ts";
import { messagePaths } from "./messages.ts";
import { servicePaths } from "./service.ts";
import { settingsPaths } from "./settings.ts";

const DESCRIPTION = `Stores and tests the SMTP settings of each tenant of a Keycloak platform, and sends mail with them.

Two address families name the tenant: SSMS by the host, SHIFT by the path. They share settings, rules and responses.

Every JSON response except this document has message, status and subSystem. Every response has X-Request-Id, the requestId of its log line, which also has a valid traceparent of the caller. Checks run in this order: https, host and tenant, path and method, token, role, media type, content coding and size, JSON, fields, store.`;

const HOSTNAME = { default: EXAMPLE_HOSTNAME, description: "The base host." };

const TENANT_HOST: Server = {
  url: "https://{tenant}.{hostname}",
  description: "SSMS: the tenant's own host",
  variables: { tenant: { default: "acme", description: TENANT_IDS.SSMS.description }, hostname: HOSTNAME },
};

const BASE_HOST: Server = {
  url: "https://{hostname}",
  description: "SHIFT: the base host",
  variables: { hostname: HOSTNAME },
};

const TENANT_ID_PARAMETER: Parameter = {
  name: "tenantId",
  in: "path",
  required: true,
  description: TENANT_IDS.SHIFT.description,
  schema: { type: "string", pattern: TENANT_IDS.SHIFT.pattern.source },
  example: "acme",
};

/**
 * Describes the API in OpenAPI 3.1. Requests derive from the schemas that validate them, errors from the
 * table that responds with them.
 */
export function openApiDocument(version: string): OpenApiDocument {
  return {
    openapi: "3.1.1",
    info: {
      title: "Tenant Mail",
      version,
      summary: "SMTP settings and outgoing mail of each tenant of a Keycloak platform",
      description: DESCRIPTION,
      contact: { name: "The operator of Tenant Mail" },
      license: { name: "MIT", identifier: "MIT" },
    },
    // Here only: of servers of a path, generated clients of Go ignore the base URL, and of Python call the template.
    servers: [TENANT_HOST, BASE_HOST],
    security: [{ bearer: [] }],
    tags: [
      { name: "SSMS", description: "The first label of the host is the tenant." },
      { name: "SHIFT", description: "The path contains the tenant." },
      { name: "Service", description: "The Worker itself. No token is needed." },
    ],
    paths: {
      ...below("/digitanium/v4/mail", tenantPaths("SSMS"), {}),
      ...below("/auth/realms/{tenantId}/mail", tenantPaths("SHIFT"), { parameters: [TENANT_ID_PARAMETER] }),
      ...below("/digitanium/v4/mail", servicePaths(version), {}),
    },
    components: {
      schemas: jsonSchemas(),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "An access token of the tenant's own realm (RFC 6750), with an administrator's role, or a sender's for mail.",
        },
      },
    },
  };
}

function tenantPaths(family: Family): Record<string, PathItem> {
  return { ...settingsPaths(family), ...historyPaths(family), ...messagePaths(family) };
}

function below(prefix: string, paths: Record<string, PathItem>, shared: PathItem): Record<string, PathItem> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [`${prefix}${path}`, { ...shared, ...item }]),
  );
}
