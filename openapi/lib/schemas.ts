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

/** Every string and list in a response has a maximum, for clients and gateways that check or reserve room. */
export function string(maxLength: number) {
  return z.string().check(z.maxLength(maxLength));
}

/** A documented string. */
export function text(maxLength: number, description: string) {
  return described(string(maxLength), description);
}

/** A documented string that may be absent. */
export function optionalText(maxLength: number, description: string) {
  return described(z.exactOptional(string(maxLength)), description);
}

/** A documented list. */
export function list<Item extends z.ZodMiniType>(item: Item, maxItems: number, description: string) {
  return described(z.array(item).check(z.maxLength(maxItems)), description);
}

/** A documented list that may be absent. */
export function optionalList<Item extends z.ZodMiniType>(item: Item, maxItems: number, description: string) {
  return described(z.exactOptional(z.array(item).check(z.maxLength(maxItems))), description);
}

/** A time in UTC, as `Date.prototype.toISOString` writes it. */
export const time = z.iso.datetime().check(z.maxLength(24));

/** JSON Schemas of {@link SCHEMAS}, as a client sees them, in alphabetical order. */
export function jsonSchemas(): Record<string, JsonSchema> {
  const registry = z.registry<{ id: string }>();
  const sorted = [...SCHEMAS].sort(([a], [b]) => a.localeCompare(b));
  for (const [id, schema] of sorted) registry.add(schema, { id });
  const { schemas } = z.toJSONSchema(registry, { ...CONVERSION, uri: referenceTo });
  const entries = Object.entries(schemas).map(([name, schema]) => [name, withoutIds(schema)]);
  return withJoinedTypes(Object.fromEntries(entries));
}

/**
 * The parameters of a query, from the schema that validates it.
 *
 * @param parsed schemas of the parameters whose text stands for another type
 */
export function queryParameters(schema: z.ZodMiniType, parsed: Record<string, JsonSchema> = {}): Parameter[] {
  const { properties = {} } = z.toJSONSchema(schema, CONVERSION);
  return Object.entries(withJoinedTypes(properties as Record<string, JsonSchema>)).map(
    ([name, { description = "", ...rest }]) => ({
      name,
      in: "query",
      description,
      schema: parsed[name] ?? rest,
    }),
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
    // zod calls every literal a number, which generated clients read as a float.
    if (Number.isInteger(jsonSchema.const)) jsonSchema.type = "integer";
  },
};

/**
 * Joins the types of a port, which zod leaves apart because its integer has a range, and lists several types beside
 * null as alternatives: Go's oapi-codegen rejects them as a list.
 */
function withJoinedTypes(schemas: Record<string, JsonSchema>): Record<string, JsonSchema> {
  return JSON.parse(JSON.stringify(schemas), (_, value) => {
    const schema = joined(value);
    const { type, ...rest } = schema ?? {};
    return Array.isArray(type) && type.length > 2
      ? { ...rest, anyOf: type.map((type) => ({ type })) }
      : schema;
  });
}

function joined(value: JsonSchema | undefined): JsonSchema | undefined {
  const alternatives = value?.anyOf;
  if (!alternatives?.every(({ type }) => type !== undefined)) return value;
  const { anyOf: _, ...rest } = value ?? {};
  const type = alternatives.flatMap((alternative) => alternative.type);
  return { ...Object.assign({}, ...alternatives), type, ...rest };
}

function referenceTo(name: string): string {
  return `#/components/schemas/${name}`;
}

function withoutIds({ $schema: _, $id: __, ...schema }: JsonSchema): JsonSchema {
  return schema;
}
