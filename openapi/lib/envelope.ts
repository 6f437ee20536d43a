import * as z from "zod/mini";
import { BATCH_MAX_MESSAGES } from "../../src/delivery/schema.ts";
import type { FieldError } from "../../src/errors.ts";
import type { Envelope } from "../../src/http/envelope.ts";
import { MAX_FIELD_ERRORS } from "../../src/http/validation.ts";
import { described, named, optionalList, text } from "./schemas.ts";

/** Maximum characters of `message`. A missing role names those of two variables, each of at most 5 KB. */
const MESSAGE_MAX_CHARACTERS = 16_384;

/** Maximum invalid fields: those of each message of a batch. */
const FIELD_ERRORS_MAX = BATCH_MAX_MESSAGES * MAX_FIELD_ERRORS;

const STATUS_DESCRIPTION = "The outcome, as a word for programs.";

/** Members of every JSON response. */
export const envelopeFields = {
  message: text(MESSAGE_MAX_CHARACTERS, "The outcome, as a sentence for people."),
  status: text(64, STATUS_DESCRIPTION),
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
    field: text(128, "Name of the field, with dots where it is nested."),
    message: text(2_000, "How to fix it."),
  }) satisfies z.ZodMiniType<FieldError>,
);

/** An invalid request. */
export const badRequestSchema = named(
  "BadRequest",
  z.object({
    ...envelopeFieldsWith("BAD_REQUEST"),
    errors: optionalList(fieldErrorSchema, FIELD_ERRORS_MAX, "The invalid fields."),
  }),
);
