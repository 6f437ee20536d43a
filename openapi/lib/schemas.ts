import * as z from "zod/mini";
import type { Content, Example, JsonSchema, Parameter } from "./types.ts";

/** The named schemas of the document, by name. Those of requests are the ones that validate them. */
export const SCHEMAS = new Map<string, z.ZodMiniType>();

/** Puts a schema into the document under a name, so that others refer to it. */
export function named<Schema extends z.ZodMiniType>(name: string, schema: Schema): Schema {
  SCHEMAS.set(name, schema);
  return schema;
}

/** Documents a member of a response. */
export function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  return schema.check(z.describe(description));
}

/** A string that may be absent. */
export function optionalText(description: string) {
  return described(z.exactOptional(z.string()), description);
}

/** JSON Schemas of {@link SCHEMAS}, as a client sees them, in alphabetical order. */
export function jsonSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  const sorted = [...SCHEMAS].sort(([a], [b]) => a.localeCompare(b));
  for (const [id, schema] of sorted) registry.add(schema, { id });
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
export function json(schema: z.ZodMiniType, examples: Record<string, Example>): Content {
  return jsonOf(refTo(schema), examples);
}

/** A JSON body. */
export function jsonOf(schema: JsonSchema, examples: Record<string, Example>): Content {
  return { "application/json": { schema, examples } };
}

/**
 * A schema that refers to a named one.
 *
 * @throws if it has no name
 */
export function refTo(schema: z.ZodMiniType): JsonSchema {
  const [name] = [...SCHEMAS].find(([, candidate]) => candidate === schema) ?? [];
  if (name === undefined) throw new Error("A schema that is referred to needs a name.");
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
