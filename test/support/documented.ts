import { expect } from "vitest";
import * as z from "zod/mini";
import { openApiDocument } from "../../openapi/document.ts";
import { SCHEMAS } from "../../openapi/lib/schemas.ts";
import type { JsonSchema, MediaType, OpenApiDocument } from "../../openapi/lib/types.ts";
import { operationsOf } from "../../openapi/page/operation.ts";
import { version } from "../../package.json";

/** The built document, parsed. */
export const document: OpenApiDocument = JSON.parse(JSON.stringify(openApiDocument(version)));

/** The operations, each with the name that test titles show. */
export const operations = operationsOf(document).map((placed) => ({
  name: placed.operation.operationId,
  ...placed,
}));

/** The schema of a body. */
export function schemaOf({ schema }: MediaType): z.ZodMiniType {
  return zodSchemaOf(schema);
}

function zodSchemaOf(schema: JsonSchema): z.ZodMiniType {
  if (schema.anyOf !== undefined) return z.union(schema.anyOf.map(zodSchemaOf));
  if (schema.type === "array") return z.array(zodSchemaOf(schema.items as JsonSchema));
  const name = schema.$ref?.split("/").at(-1) ?? "";
  return SCHEMAS.get(name) ?? expect.fail(`no schema ${name}`);
}

/** Asserts that a response of the Worker is documented for the operation. */
export async function expectDocumented(response: Response, operationId: string): Promise<void> {
  const placed = operations.find(({ name }) => name === operationId);
  if (placed === undefined) expect.fail(`no operation ${operationId}`);
  const documented = placed.operation.responses[response.status];
  if (documented === undefined) expect.fail(`${operationId} has no ${response.status}`);
  const known = [...GENERAL_HEADERS, ...Object.keys(documented.headers).map((name) => name.toLowerCase())];
  expect([...response.headers.keys()].filter((name) => !known.includes(name))).toEqual([]);
  if (response.body === null) return expect(documented.content).toEqual({});
  const mediaType = response.headers.get("Content-Type") ?? "";
  const content = documented.content[mediaType] ?? expect.fail(`${operationId} has no ${mediaType}`);
  const body = await response.json<{ message: string }>();
  // zod drops unknown members, so an undocumented one makes a difference.
  expect(z.parse(schemaOf(content), body)).toEqual(body);
  if (!VARYING_MESSAGE.includes(response.status)) {
    const examples = Object.values(content.examples ?? {}).map(({ value }) => value);
    expect(examples).toContainEqual(expect.objectContaining({ message: body.message }));
  }
}

/** Statuses whose message names fields, methods, a state or the SMTP server's reply: examples differ. */
const VARYING_MESSAGE = [400, 405, 409, 502];

/** Headers of every response. Clients may ignore them. */
const GENERAL_HEADERS = [
  "cache-control",
  "content-length",
  "content-type",
  "strict-transport-security",
  "x-content-type-options",
];
