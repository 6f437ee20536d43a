import * as z from "zod/mini";
import { envelope } from "../src/http/envelope.ts";
import { envelopeFields, okFields } from "./lib/envelope.ts";
import { COMMON_ERRORS, operation } from "./lib/operation.ts";
import { described, json, named, text } from "./lib/schemas.ts";
import type { Content, Header, PathItem } from "./lib/types.ts";

/** Maximum characters of the page, and of its style sheet. */
const FILE_MAX_CHARACTERS = 2 ** 20;

const version = text(64, "Version of the Worker.");

const healthySchema = named("Healthy", z.object({ ...okFields, version }));
const unhealthySchema = named("Unhealthy", z.object({ ...envelopeFields, version }));

const documentSchema = named(
  "OpenApi",
  z.object({
    openapi: described(z.literal("3.1.1"), "Version of OpenAPI."),
    info: described(z.looseObject({}), "Title, version and description."),
    paths: described(z.looseObject({}), "The operations, by path and method."),
  }),
);

/** Headers that let scripts of any origin read a document (Fetch section 3.2). */
const ANY_ORIGIN: Record<string, Header> = {
  "Access-Control-Allow-Origin": {
    description:
      "Scripts of any origin may read the response. Absent over plain http and from a misconfigured Worker.",
    schema: { type: "string", const: "*" },
    example: "*",
  },
  "Access-Control-Expose-Headers": {
    description: "They may also read this header.",
    schema: { type: "string", const: "X-Request-Id" },
    example: "X-Request-Id",
  },
};

/** The operations that need no token, by path below `/digitanium/v4/mail`: health and documentation. */
export function servicePaths(version: string): Record<string, PathItem> {
  const healthy = envelope("OK", "Tenant Mail can serve.", { version });
  const unhealthy = envelope("SERVICE_UNAVAILABLE", "Tenant Mail cannot serve.", { version });
  const document = { openapi: "3.1.1", info: { title: "Tenant Mail", version }, paths: {} };
  return {
    "/health": {
      get: operation({
        operationId: "readHealth",
        tags: ["Service"],
        summary: "Check health",
        description: "Checks the configuration and KV. The response does not name the cause of a failure.",
        security: [],
        success: {
          description: "The Worker can serve.",
          content: json(healthySchema, { healthy: { summary: "Healthy", value: healthy } }),
        },
        responses: {
          503: {
            description: "The Worker cannot serve: KV is unavailable, or the configuration is not valid.",
            content: json(unhealthySchema, { unhealthy: { summary: "Unhealthy", value: unhealthy } }),
          },
        },
        errors: COMMON_ERRORS,
        headers: ANY_ORIGIN,
      }),
    },
    "/openapi.json": file(
      "readOpenApi",
      "Read this document",
      "This document, as OpenAPI 3.1.",
      json(documentSchema, { document: { summary: "The document, abridged", value: document } }),
      ANY_ORIGIN,
    ),
    "/docs": file(
      "readDocs",
      "Read this document as a page",
      "This document, as HTML.",
      {
        "text/html": {
          schema: { type: "string", maxLength: FILE_MAX_CHARACTERS },
          example: "<!doctype html><title>Tenant Mail</title>",
        },
      },
      ANY_ORIGIN,
    ),
    "/docs.css": file("readDocsStylesheet", "Read the page's style sheet", "The style sheet.", {
      "text/css": {
        schema: { type: "string", maxLength: FILE_MAX_CHARACTERS },
        example: "body { margin: 0 }",
      },
    }),
  };
}

function file(
  operationId: string,
  summary: string,
  description: string,
  content: Content,
  headers: Record<string, Header> = {},
): PathItem {
  return {
    get: operation({
      operationId,
      tags: ["Service"],
      summary,
      description,
      security: [],
      success: { description, content },
      errors: [...COMMON_ERRORS, "misconfigured"],
      headers,
    }),
  };
}
