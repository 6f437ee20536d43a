import { zValidator } from "@hono/zod-validator";
import { RefusedError } from "../errors.ts";
import { invalidFields } from "../http/invalid-fields.ts";
import { lacksMandatoryField, settingsSchema, testSchema } from "./schema.ts";

/** Validates a body that holds settings. */
export function settingsBody() {
  return zValidator("json", settingsSchema, (result) => {
    if (lacksMandatoryField(result.data)) throw new RefusedError({ kind: "mandatory_fields_missing" });
    if (!result.success) throw invalidFields(result.error.issues);
  });
}

/** Validates a body that says how to test settings. */
export function testBody() {
  return zValidator("json", testSchema, (result) => {
    const { settings } = (result.data ?? {}) as { settings?: unknown };
    if ((settings ?? undefined) !== undefined && lacksMandatoryField(settings)) {
      throw new RefusedError({ kind: "mandatory_fields_missing" });
    }
    if (!result.success) throw invalidFields(result.error.issues);
  });
}
