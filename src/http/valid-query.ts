import { zValidator } from "@hono/zod-validator";
import type * as z from "zod/mini";
import { invalidFields } from "./invalid-fields.ts";

/** Validates a request's query. */
export function validQuery<Schema extends z.ZodMiniType>(schema: Schema) {
  return zValidator("query", schema, (result) => {
    if (!result.success) throw invalidFields(result.error.issues);
  });
}
