import type * as z from "zod/mini";
import { RefusedError } from "../errors.ts";
import { FIELD_ERRORS_TOLD, FIELD_NAME_TOLD_CHARACTERS } from "../limits.ts";

/**
 * Puts what a schema found wrong into a refusal that names each field and the mend. No value is repeated,
 * as it may be a secret.
 */
export function invalidFields(issues: readonly z.core.$ZodIssue[]): RefusedError {
  const errors = issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({
          field: [...issue.path, key.slice(0, FIELD_NAME_TOLD_CHARACTERS)].join("."),
          message: issue.message,
        }))
      : { field: issue.path.join(".") || "body", message: issue.message },
  );
  return new RefusedError({ kind: "invalid_fields", errors: errors.slice(0, FIELD_ERRORS_TOLD) });
}
