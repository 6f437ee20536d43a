import { expect } from "vitest";
import * as z from "zod/mini";
import { openApiDocument } from "../../src/openapi/document.ts";
import { operationsOf, type PlacedOperation, resolve } from "../../src/openapi/page/lookup.ts";
import { SCHEMAS } from "../../src/openapi/schemas.ts";
import type { Response as DocumentedResponse, MediaType } from "../../src/openapi/types.ts";

/** The document as it goes over the wire. */
export const document: ReturnType<typeof openApiDocument> = JSON.parse(
  JSON.stringify(openApiDocument({ hostname: "example.com", version: "1.2.3" })),
);

export const operations = operationsOf(document);

/** The schema that a part of the document points to. */
export function schemaOf({ schema }: MediaType): z.ZodMiniType {
  const name = schema.$ref?.split("/").at(-1) ?? "";
  const found = new Map<string, z.ZodMiniType>(Object.entries(SCHEMAS)).get(name);
  return found ?? expect.fail(`no schema ${name}`);
}

/** The responses of an operation, by status. */
export function responsesOf({ operation }: PlacedOperation): [string, DocumentedResponse][] {
  return Object.entries(operation.responses).map(([status, part]) => [
    status,
    resolve(part, document.components.responses),
  ]);
}

/** Holds an answer of the Worker against what the document says of the operation. */
export async function expectDocumented(response: Response, operationId: string): Promise<void> {
  const placed = operations.find(({ operation }) => operation.operationId === operationId);
  if (placed === undefined) expect.fail(`no operation ${operationId}`);
  const documented = new Map(responsesOf(placed)).get(String(response.status));
  if (documented === undefined) expect.fail(`${operationId} has no ${response.status}`);
  const mediaType = response.headers.get("Content-Type") ?? "";
  const content = documented.content[mediaType] ?? expect.fail(`${operationId} has no ${mediaType}`);
  const body = await response.json<{ message: string }>();
  // zod drops members that it does not know, so that one that is not documented shows.
  expect(z.parse(schemaOf(content), body)).toEqual(body);
  if (!OWN_WORDS.includes(response.status)) {
    const examples = Object.values(content.examples ?? {}).map(({ value }) => value);
    expect(examples).toContainEqual(expect.objectContaining({ message: body.message }));
  }
  const known = [
    ...GENERAL_HEADERS,
    ...Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase()),
  ];
  expect([...response.headers.keys()].filter((name) => !known.includes(name))).toEqual([]);
}

/** Of these statuses, the message tells of fields, methods or servers, and differs from the examples. */
const OWN_WORDS = [400, 405, 502];

/** Every answer has these, and clients need not look at them. */
const GENERAL_HEADERS = [
  ...["cache-control", "content-length", "content-type"],
  ...["strict-transport-security", "x-content-type-options"],
];
