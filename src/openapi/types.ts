import type * as z from "zod/mini";

/** A JSON Schema of draft 2020-12, as OpenAPI 3.1 takes it over (section 4.8.24). */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** OpenAPI 3.1 section 4.8.23. */
export interface Reference {
  $ref: string;
}

/** OpenAPI 3.1 section 4.8.19. `value` is the example itself. */
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

/** OpenAPI 3.1 section 4.8.12. */
export interface Parameter {
  name: string;
  in: "path" | "query" | "header";
  required?: boolean;
  description: string;
  schema: JsonSchema;
  example?: unknown;
}

/** OpenAPI 3.1 section 4.8.21. */
export interface Header {
  description: string;
  schema: JsonSchema;
  example?: unknown;
}

/** OpenAPI 3.1 section 4.8.17. */
export interface Response {
  description: string;
  headers?: Record<string, Header | Reference>;
  content: Record<string, MediaType>;
}

/** OpenAPI 3.1 section 4.8.10. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  description: string;
  /** An empty list: no token is needed. */
  security?: [];
  parameters?: Parameter[];
  requestBody?: { description: string; required: boolean; content: Record<string, MediaType> };
  responses: Record<string, Response | Reference>;
}

/** OpenAPI 3.1 section 4.8.5. */
export interface Server {
  url: string;
  description: string;
  variables: Record<string, { default: string; description: string }>;
}

/** OpenAPI 3.1 section 4.8.27. */
export interface SecurityScheme {
  type: "http";
  scheme: "bearer";
  bearerFormat: string;
  description: string;
}

/** The methods of {@link PathItem}. */
export const METHODS = ["post", "get", "delete"] as const;

/** OpenAPI 3.1 section 4.8.9. */
export type PathItem = { servers?: Server[]; parameters?: Parameter[] } & Partial<
  Record<(typeof METHODS)[number], Operation>
>;

/** OpenAPI 3.1 section 4.8.1, as far as we use it. */
export interface OpenApiDocument {
  openapi: "3.1.1";
  info: {
    title: string;
    version: string;
    summary: string;
    description: string;
    license: { name: string; identifier: string };
  };
  servers: Server[];
  security: Record<string, []>[];
  tags: { name: string; description: string }[];
  paths: Record<string, PathItem>;
  components: {
    schemas: Record<string, JsonSchema>;
    responses: Record<string, Response>;
    headers: Record<string, Header>;
    securitySchemes: Record<string, SecurityScheme>;
  };
}
