import { zValidator } from "@hono/zod-validator";
import type * as z from "zod/mini";
import { ApiError, type FieldError } from "../errors.ts";

/** Maximum field errors of a body, or of each item of a list: 16 KiB can hold thousands of unknown fields. */
export const MAX_FIELD_ERRORS = 20;

/** Maximum characters of an unknown field's name in a response. */
const MAX_FIELD_NAME_CHARACTERS = 64;

/**
 * Names each invalid field and how to fix it. Repeats no value, which may be a secret.
 *
 * @param issues of a schema that rejected a request
 */
export function invalidFields(issues: readonly z.core.$ZodIssue[]): ApiError<"invalid_fields"> {
  // Otherwise the errors of the first items would hide those of the others.
  const byItem = Map.groupBy(issues, ({ path: [first] }) => (typeof first === "number" ? first : undefined));
  const errors = [...byItem.values()].flatMap((issues) =>
    issues.flatMap(fieldErrors).slice(0, MAX_FIELD_ERRORS),
  );
  return new ApiError("invalid_fields", { errors });
}

function fieldErrors(issue: z.core.$ZodIssue): FieldError[] {
  const { path, message } = issue;
  if (issue.code !== "unrecognized_keys") return [{ field: fieldName(path) || "body", message }];
  const names = issue.keys.map((key) => key.slice(0, MAX_FIELD_NAME_CHARACTERS));
  return names.map((name) => ({ field: fieldName([...path, name]), message }));
}

/** The error of a request in which one field is not valid. */
export function invalidField(error: FieldError): ApiError<"invalid_fields"> {
  return new ApiError("invalid_fields", { errors: [error] });
}

/** Names a field by its path, such as `settings.host` or `[3].to`. */
function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${String(part)}`))
    .join("")
    .replace(/^\./, "");
}

/** Validates the query of a request. */
export function validQuery<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator("query", schema, (result) => {
    if (!result.success) throw invalidFields(result.error.issues);
  });
}
