import { envelope } from "../http/envelope.ts";
import { json, operation } from "./operation.ts";
import type { RefusalId } from "./refusals.ts";
import type { MediaType, Operation, PathItem } from "./types.ts";

const REFUSALS: readonly RefusalId[] = ["PlainHttp", "NotFound", "MethodNotAllowed"];

/** The paths that need no token, relative to `/digitanium/v4/mail`. */
export function publicPaths(version: string): Record<string, PathItem> {
  return {
    "/health": { get: health(version) },
    "/openapi.json": {
      get: file(
        "readOpenApi",
        "Read this document",
        "This document, as OpenAPI 3.1.",
        json("OpenApi", {
          document: {
            summary: "The document, abridged",
            value: { openapi: "3.1.1", info: { title: "Tenant Mail", version }, paths: {} },
          },
        }),
      ),
    },
    "/docs": {
      get: file("readDocs", "Read this document as a page", "This document, for people to read.", {
        "text/html": { schema: { type: "string" }, example: "<!doctype html><title>Tenant Mail</title>" },
      }),
    },
    "/docs.css": {
      get: file("readDocsStylesheet", "Read the page's style sheet", "What the page looks like.", {
        "text/css": { schema: { type: "string" }, example: "body { margin: 0 }" },
      }),
    },
  };
}

function health(version: string): Operation {
  const value = envelope("OK", "Tenant Mail can serve.", { version });
  return operation({
    operationId: "readHealth",
    tags: ["Service"],
    summary: "Ask whether the Worker can serve",
    description: "Looks at the configuration, its keys and KV, and tells no detail.",
    security: [],
    success: {
      description: "The Worker can serve.",
      content: json("Health", { healthy: { summary: "It can", value } }),
    },
    refusals: [...REFUSALS, "NotHealthy"],
  });
}

function file(
  operationId: string,
  summary: string,
  description: string,
  content: Record<string, MediaType>,
): Operation {
  return operation({
    operationId,
    tags: ["Service"],
    summary,
    description,
    security: [],
    success: { description, content },
    refusals: [...REFUSALS, "Misconfigured"],
  });
}
