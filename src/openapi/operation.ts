import { type RefusalId, refusalReferences } from "./refusals.ts";
import { type SchemaId, schemaReference } from "./schemas.ts";
import type { Example, Header, JsonSchema, MediaType, Operation, Parameter, Reference } from "./types.ts";

/** An operation in the few words in which it differs from the others. */
export interface OperationOutline
  extends Pick<Operation, "operationId" | "tags" | "summary" | "description" | "security"> {
  parameters?: Parameter[];
  body?: { description: string; required: boolean; schema: SchemaId; examples: Record<string, Example> };
  success: {
    description: string;
    headers?: Record<string, Header | Reference>;
    content: Record<string, MediaType>;
  };
  refusals: readonly RefusalId[];
}

/** On every answer. */
export const EVERYWHERE: Record<string, Reference> = {
  "X-Request-Id": { $ref: "#/components/headers/RequestId" },
};

/** Draws an operation from its outline (OpenAPI 3.1 section 4.8.10). */
export function operation({ body, success, refusals, ...rest }: OperationOutline): Operation {
  return {
    ...rest,
    ...(body === undefined ? {} : { requestBody: requestBody(body) }),
    responses: {
      200: { ...success, headers: { ...EVERYWHERE, ...success.headers } },
      ...refusalReferences(refusals),
    },
  };
}

/** JSON of a schema of the document, with examples of it. */
export function json(schema: SchemaId, examples: Record<string, Example>): Record<string, MediaType> {
  return { "application/json": { schema: schemaReference(schema), examples } };
}

/** The parameters of a query (OpenAPI 3.1 section 4.8.12), by the schemas of its members. */
export function queryParameters(schemas: Record<string, JsonSchema>): Parameter[] {
  return Object.entries(schemas).map(([name, { description = "", ...schema }]) => ({
    name,
    in: "query",
    description,
    schema,
  }));
}

function requestBody({ description, required, schema, examples }: NonNullable<OperationOutline["body"]>) {
  return { description, required, content: json(schema, examples) };
}
