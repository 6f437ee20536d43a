import { TENANT_ID } from "../http/tenant-id.ts";
import { NOTES } from "./notes.ts";
import { EVERYWHERE } from "./operation.ts";
import { publicPaths } from "./public-paths.ts";
import { refusalResponses } from "./refusals.ts";
import { jsonSchemas } from "./schemas.ts";
import { tenantPaths } from "./tenant-paths.ts";
import type { OpenApiDocument, Parameter, PathItem, Server } from "./types.ts";

const DESCRIPTION = `Keeps the SMTP settings of each tenant of a Keycloak platform, and tests them.

Two address families name the tenant in two ways: SSMS by the host, SHIFT by the path. They share the settings, the rules and the answers.

Every answer in JSON, other than this document, has message, status and subSystem. Checks come in this order: https, host and tenant, path and method, token, role, media type and size, JSON, fields, store.`;

/**
 * Describes the whole API (OpenAPI 3.1). What it says of requests comes from the schemas that validate
 * them, and what it says of refusals from the code that words them.
 *
 * @param about the base host, and the version of the Worker
 */
export function openApiDocument({
  hostname,
  version,
}: {
  hostname: string;
  version: string;
}): OpenApiDocument {
  const [byHost, byPath] = servers(hostname);
  return {
    openapi: "3.1.1",
    info: {
      title: "Tenant Mail",
      version,
      summary: "SMTP settings of each tenant of a Keycloak platform",
      description: DESCRIPTION,
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [byHost, byPath],
    security: [{ bearer: [] }],
    tags: [
      { name: "SSMS", description: "The tenant is the first label of the host." },
      { name: "SHIFT", description: "The tenant is in the path." },
      { name: "Service", description: "About the Worker itself; no token is needed." },
    ],
    paths: {
      ...under("/digitanium/v4/mail", tenantPaths("SSMS", "config"), { servers: [byHost] }),
      ...under("/auth/realms/{tenantId}/mail", tenantPaths("SHIFT", "setup"), {
        servers: [byPath],
        parameters: [TENANT],
      }),
      ...under("/digitanium/v4/mail", publicPaths(version), {}),
    },
    components: {
      schemas: jsonSchemas(NOTES),
      responses: refusalResponses(EVERYWHERE),
      headers: {
        RequestId: {
          description: "requestId of the request's line in the log.",
          schema: { type: "string", format: "uuid" },
          example: "0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11",
        },
        ETag: {
          description: "Of the settings as they are stored now, for If-Match (RFC 9110 section 8.8.3).",
          schema: { type: "string" },
          example: '"0b1c9a55-7c1e-4a43-9a2f-3f0e1a6f8d11"',
        },
      },
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description:
            "Authorization: Bearer, with an access token of the tenant's own realm (RFC 6750), whose holder has an administrator's role.",
        },
      },
    },
  };
}

const TENANT: Parameter = {
  name: "tenantId",
  in: "path",
  required: true,
  description: "The tenant: a DNS label in lower case.",
  schema: { type: "string", pattern: TENANT_ID.source },
  example: "acme",
};

function servers(hostname: string): [byHost: Server, byPath: Server] {
  const base = { hostname: { default: hostname, description: "The base host." } };
  const tenant = { default: "acme", description: "The tenant: a DNS label in lower case." };
  return [
    {
      url: "https://{tenant}.{hostname}",
      description: "SSMS: the tenant's own host",
      variables: { tenant, ...base },
    },
    { url: "https://{hostname}", description: "SHIFT: the base host", variables: base },
  ];
}

function under(
  prefix: string,
  paths: Record<string, PathItem>,
  shared: Pick<PathItem, "servers" | "parameters">,
): Record<string, PathItem> {
  return Object.fromEntries(
    Object.entries(paths).map(([path, item]) => [`${prefix}${path}`, { ...shared, ...item }]),
  );
}
