import * as z from "zod/mini";
import { settingsSchema, testSchema } from "../settings/schema.ts";
import * as answers from "./answers.ts";
import type { Note, Notes } from "./notes.ts";
import type { JsonSchema } from "./types.ts";

/** The schemas of the document by their names there. Those of requests are the very ones that validate. */
export const SCHEMAS = {
  Settings: settingsSchema,
  TestRequest: testSchema,
  Done: answers.doneSchema,
  SettingsRead: answers.settingsReadSchema,
  SettingsView: answers.settingsViewSchema,
  TestPassed: answers.testPassedSchema,
  Step: answers.stepSchema,
  History: answers.historySchema,
  HistoryEntry: answers.historyEntrySchema,
  HistoryCaller: answers.historyCallerSchema,
  Health: answers.healthSchema,
  NotHealthy: answers.notHealthySchema,
  OpenApi: answers.openApiSchema,
  Refusal: answers.refusalSchema,
  BadRequest: answers.badRequestSchema,
  FieldError: answers.fieldErrorSchema,
  SmtpFailed: answers.smtpFailedSchema,
};

/** Name of a schema in the document. */
export type SchemaId = keyof typeof SCHEMAS;

/** What a schema takes. */
export type SchemaInput<Id extends SchemaId> = z.input<(typeof SCHEMAS)[Id]>;

/** Points to a schema of the document. */
export function schemaReference(id: SchemaId): { $ref: string } {
  return { $ref: `#/components/schemas/${id}` };
}

/**
 * JSON Schemas of what the Worker takes and answers.
 *
 * @param notes what the schemas do not tell by themselves
 */
export function jsonSchemas(
  notes: { [Id in SchemaId]: Notes<SchemaInput<Id>> },
): Record<SchemaId, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(SCHEMAS)) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, {
    ...TO_JSON_SCHEMA,
    uri: (id) => schemaReference(id as SchemaId).$ref,
  });
  const annotated = Object.entries(notes).map(([id, fields]) => [id, annotate(schemas[id] ?? {}, fields)]);
  return Object.fromEntries(annotated);
}

/** JSON Schemas of the members of an object, such as the parameters of a query. */
export function memberSchemas<Schema extends z.ZodMiniType>(
  schema: Schema,
  notes: Notes<z.input<Schema>>,
): Record<string, JsonSchema> {
  return annotate(z.toJSONSchema(schema, TO_JSON_SCHEMA), notes).properties;
}

const TO_JSON_SCHEMA: Pick<z.core.ToJSONSchemaParams, "io" | "override"> = {
  io: "input",
  // zod keeps the alternatives of a port apart; beside each other, they read as what they are: three types.
  override: ({ jsonSchema }) => {
    const alternatives = jsonSchema.anyOf ?? [];
    const types = alternatives.flatMap(({ type }) => type ?? []);
    if (types.length < 2 || alternatives.some(({ type }) => type === undefined)) return;
    delete jsonSchema.anyOf;
    Object.assign(jsonSchema, ...alternatives, { type: types });
  },
};

function annotate(schema: JsonSchema, notes: Record<string, Note>) {
  const { $schema: _, $id: __, ...rest } = schema;
  const members = Object.entries(rest.properties ?? {}) as [string, JsonSchema][];
  const properties = Object.fromEntries(
    members.map(([name, member]) => [name, { ...member, ...notes[name] }]),
  );
  return { ...rest, properties };
}
