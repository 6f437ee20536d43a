import { openApiDocument } from "../../openapi/document.ts";
import type { JsonSchema } from "../../openapi/lib/types.ts";
import { API_ERRORS, ApiError, type ApiErrorKind, contentOf } from "../../src/errors.ts";
import { escaped, tableOf } from "./markdown.ts";

const { schemas } = openApiDocument("").components;

/** The errors of the API, by HTTP status. */
export function errorTable(): string {
  const kinds = Object.keys(API_ERRORS) as ApiErrorKind[];
  const byStatus = Map.groupBy(kinds, (kind) => API_ERRORS[kind].httpStatus);
  const rows = [...byStatus.entries()]
    .sort(([a], [b]) => a - b)
    .map(([httpStatus, [first = "internal", ...others]]) => [
      String(httpStatus),
      `\`${contentOf(new ApiError(first, API_ERRORS[first].example)).status}\``,
      escaped([first, ...others].map((kind) => API_ERRORS[kind].description).join(" ")),
    ]);
  return tableOf(["HTTP", "`status`", "When"], rows);
}

/** The fields of a request, from the schema that validates them. */
export function fieldTable(name: string): string {
  const { properties = {}, required = [] } = schemas[name] ?? {};
  const rows = Object.entries(properties as Record<string, JsonSchema>).map(([field, schema]) => [
    `\`${field}\`${required.includes(field) ? " (mandatory)" : ""}`,
    typeOf(schema),
    `${schema.maxLength ?? ""}`,
    escaped(schema.description ?? ""),
  ]);
  return tableOf(["Field", "Type", "Characters", "Rule"], rows);
}

/** `null` and an empty string count as absent, so they are not listed. */
function typeOf({ type, anyOf }: JsonSchema): string {
  const types = [type ?? anyOf?.map((schema) => schema.type ?? "object")].flat(2);
  return types.filter((name) => name !== "null" && name !== undefined).join(" or ") || "object";
}
