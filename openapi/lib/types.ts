import type * as z from "zod/mini";

/** JSON Schema, draft 2020-12 (OpenAPI 3.1 section 4.8.24). */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** OpenAPI 3.1 section 4.8.19. */
export interface Example {
  summary: string;
  value: unknown;
}

/** OpenAPI 3.1 section 4.8.14. */
export interface MediaType {
  schema: JsonSchema;
  examples?: Record<string, Example>;
  example?: unknown;
}

/** Media types and their schemas, for bodies of requests and responses. */
export type Content = Record<string, MediaType>;

/** OpenAPI 3.1 section 4.8.21. */
export interface Header {
  description: string;
  schema: JsonSchema;
  example?: unknown;
}

/** OpenAPI 3.1 section 4.8.12. */
export interface Parameter extends Header {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
}

/** OpenAPI 3.1 section 4.8.20. */
export interface Link {
  operationId: string;
  description: string;
  /** Runtime expressions, by the name of the parameter. */
  parameters: Record<string, string>;
}

/** OpenAPI 3.1 section 4.8.17. */
export interface Response {
  description: string;
  headers: Record<string, Header>;
  content: Content;
  links?: Record<string, Link>;
}

/** OpenAPI 3.1 section 4.8.10. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  /** An empty list if no token is needed. */
  security?: [];
  parameters?: Parameter[];
  requestBody?: { description: string; required: boolean; content: Content };
  /** By HTTP status. */
  responses: Record<string, Response>;
}

/** OpenAPI 3.1 section 4.8.5. */
export interface Server {
  url: string;
  description: string;
  variables: Record<string, { default: string; description: string }>;
}

/** The methods of a {@link PathItem}. */
export const METHODS = ["post", "get", "delete"] as const;

/** OpenAPI 3.1 section 4.8.9. */
export type PathItem = { parameters?: Parameter[] } & Partial<Record<(typeof METHODS)[number], Operation>>;

/** OpenAPI 3.1 section 4.8.1. */
export interface OpenApiDocument {
  openapi: "3.1.1";
  info: {
    title: string;
    version: string;
    summary: string;
    description: string;
    contact: { name: string };
    license: { name: string; identifier: string };
  };
  servers: Server[];
  security: Record<string, []>[];
  tags: { name: string; description: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, JsonSchema>;
    securitySchemes: Record<
      string,
      { type: "http"; scheme: "bearer"; bearerFormat: string; description: string }
    >;
  };
}
