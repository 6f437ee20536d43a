import { zValidator } from "@hono/zod-validator";
import type * as z from "zod/mini";
import { ApiError, type FieldError } from "../errors.ts";

/** Maximum field errors per response: a body of 16 KiB can hold thousands of unknown fields. */
const MAX_FIELD_ERRORS = 20;

/** Maximum characters of an unknown field's name in a response. */
const MAX_FIELD_NAME_CHARACTERS = 64;

/**
 * Names each invalid field and how to fix it. Repeats no value, which may be a secret.
 *
 * @param issues of a schema that rejected a request
 */
export function invalidFields(issues: readonly z.core.$ZodIssue[]): ApiError<"invalid_fields"> {
  const errors = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          field: fieldName([...issue.path, key.slice(0, MAX_FIELD_NAME_CHARACTERS)]),
          message: issue.message,
        }))
      : { field: fieldName(issue.path) || "body", message: issue.message },
  );
  return new ApiError("invalid_fields", { errors: errors.slice(0, MAX_FIELD_ERRORS) });
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
