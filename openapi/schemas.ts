import * as z from "zod/mini";
import {
  acceptedMailSchema,
  acceptedSchema,
  batchAcceptedSchema,
  mailFailureSchema,
  mailReadSchema,
  mailStatusSchema,
  mailsReadSchema,
} from "../src/delivery/response-schema.ts";
import { mailHeadersSchema, mailSchema } from "../src/delivery/schema.ts";
import { healthySchema, unhealthySchema } from "../src/health/response-schema.ts";
import {
  historyCallerSchema,
  historyEntrySchema,
  historySchema,
  testTargetSchema,
} from "../src/history/response-schema.ts";
import {
  badRequestSchema,
  described,
  doneSchema,
  errorSchema,
  fieldErrorSchema,
} from "../src/http/response-schema.ts";
import {
  settingsReadSchema,
  settingsResponseSchema,
  smtpFailedSchema,
  stepSchema,
  testPassedSchema,
} from "../src/settings/response-schema.ts";
import { settingsSchema, testSchema } from "../src/settings/schema.ts";
import type { Content, Example, JsonSchema, Parameter } from "./types.ts";

/** The schemas by their names in the document. Those of requests are the ones that validate them. */
export const SCHEMAS = {
  Settings: settingsSchema,
  TestRequest: testSchema,
  Done: doneSchema,
  SettingsRead: settingsReadSchema,
  SettingsResponse: settingsResponseSchema,
  TestPassed: testPassedSchema,
  Step: stepSchema,
  History: historySchema,
  HistoryEntry: historyEntrySchema,
  HistoryCaller: historyCallerSchema,
  TestTarget: testTargetSchema,
  Mail: mailSchema,
  MailHeaders: mailHeadersSchema,
  Accepted: acceptedSchema,
  BatchAccepted: batchAcceptedSchema,
  AcceptedMail: acceptedMailSchema,
  MailRead: mailReadSchema,
  MailsRead: mailsReadSchema,
  MailStatus: mailStatusSchema,
  MailFailure: mailFailureSchema,
  Healthy: healthySchema,
  Unhealthy: unhealthySchema,
  OpenApi: z.object({
    openapi: described(z.literal("3.1.1"), "Version of OpenAPI."),
    info: described(z.record(z.string(), z.unknown()), "Title, version and description."),
    paths: described(z.record(z.string(), z.unknown()), "The operations, by path and method."),
  }),
  Error: errorSchema,
  BadRequest: badRequestSchema,
  FieldError: fieldErrorSchema,
  SmtpFailed: smtpFailedSchema,
};

/** Name of a schema in the document. */
export type SchemaName = keyof typeof SCHEMAS;

/** JSON Schemas of {@link SCHEMAS}, as a client sees them. */
export function jsonSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { ...CONVERSION, uri: referenceTo });
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]));
}

/** The parameters of a query, from the schema that validates it. */
export function queryParameters(schema: z.ZodMiniType): Parameter[] {
  const { properties = {} } = z.toJSONSchema(schema, CONVERSION);
  return Object.entries(properties as Record<string, JsonSchema>).map(
    ([name, { description = "", ...rest }]) => ({ name, in: "query", description, schema: rest }),
  );
}

/** A JSON body of a named schema. */
export function json(name: SchemaName, examples: Record<string, Example>): Content {
  return jsonOf(refTo(name), examples);
}

/** A JSON body. */
export function jsonOf(schema: JsonSchema, examples: Record<string, Example>): Content {
  return { "application/json": { schema, examples } };
}

/** A schema that refers to a named one. */
export function refTo(name: SchemaName): JsonSchema {
  return { $ref: referenceTo(name) };
}

const CONVERSION: Pick<z.core.ToJSONSchemaParams, "io" | "override"> = {
  io: "input",
  override: ({ zodSchema, jsonSchema }) => {
    // With `io: "input"`, zod drops the examples of a schema that transforms.
    const examples = z.globalRegistry.get(zodSchema)?.examples;
    if (Array.isArray(examples)) jsonSchema.examples = examples;
    // zod leaves the types of a port apart, because its integer has a range.
    const alternatives = jsonSchema.anyOf ?? [];
    const types = alternatives.flatMap(({ type }) => type ?? []);
    if (types.length < 2 || alternatives.some(({ type }) => type === undefined)) return;
    delete jsonSchema.anyOf;
    Object.assign(jsonSchema, ...alternatives, { type: types });
  },
};

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function withoutIds({ $schema: _, $id: __, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
