import * as z from "zod/mini";
import type { FieldError } from "../../src/errors.ts";
import type { Envelope } from "../../src/http/envelope.ts";
import { described, named } from "./schemas.ts";

const STATUS_DESCRIPTION = "The outcome, as a word for programs.";

/** Members of every JSON response. */
export const envelopeFields = {
  message: described(z.string(), "The outcome, as a sentence for people."),
  status: described(z.string(), STATUS_DESCRIPTION),
  subSystem: described(z.literal(8 satisfies Envelope["subSystem"]), "The responding subsystem: 8 is mail."),
};

/** Members of every JSON response with the same `status`. */
export function envelopeFieldsWith(status: string) {
  return { ...envelopeFields, status: described(z.literal(status), STATUS_DESCRIPTION) };
}

/** Members of every successful JSON response. */
export const okFields = envelopeFieldsWith("OK");

/** A success without further members. */
export const doneSchema = named("Done", z.object(okFields));

/** An error without further members. */
export const errorSchema = named("Error", z.object(envelopeFields));

const fieldErrorSchema = named(
  "FieldError",
  z.object({
    field: described(z.string(), "Name of the field, with dots where it is nested."),
    message: described(z.string(), "How to fix it."),
  }) satisfies z.ZodMiniType<FieldError>,
);

/** An invalid request. */
export const badRequestSchema = named(
  "BadRequest",
  z.object({
    ...envelopeFieldsWith("BAD_REQUEST"),
    errors: described(z.exactOptional(z.array(fieldErrorSchema)), "The invalid fields."),
  }),
);
