import * as z from "zod/mini";
import type { FieldError } from "../errors.ts";
import { STAGES } from "../smtp/result.ts";
import type { Envelope } from "./envelope.ts";

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
export const doneSchema = z.object(okFields);

/** An error without further members. */
export const errorSchema = z.object(envelopeFields);

/** An invalid field of a request. */
export const fieldErrorSchema = z.object({
  field: described(z.string(), "Name of the field, with dots where it is nested."),
  message: described(z.string(), "How to fix it."),
}) satisfies z.ZodMiniType<FieldError>;

/** An invalid request. */
export const badRequestSchema = z.object({
  ...envelopeFieldsWith("BAD_REQUEST"),
  errors: described(z.exactOptional(z.array(fieldErrorSchema)), "The invalid fields."),
});

/** The stages of an SMTP session. */
export const stageSchema = z.enum(STAGES);

/** Members that describe a failed session with an SMTP server, beside `message`. */
export const diagnosisFields = {
  stage: described(stageSchema, "The stage that failed."),
  smtpCode: described(
    z.exactOptional(z.int().check(z.minimum(200), z.maximum(599))),
    "Code of the server's negative reply, if any (RFC 5321 section 4.2).",
  ),
  enhancedCode: optionalText("Its enhanced status code, if any (RFC 3463)."),
  reply: optionalText("The server's reply: one printable line of at most 200 characters."),
  challenge: optionalText(
    "Why the server rejects an access token, usually as JSON (RFC 7628 section 3.2.2): one printable line.",
  ),
  oauth: described(
    z.exactOptional(
      z.object({
        status: described(z.exactOptional(z.int()), "HTTP status."),
        error: optionalText("OAuth error code."),
        error_description: optionalText("Its description: one printable line of at most 300 characters."),
      }),
    ),
    "Response of the token endpoint, if it is why there is no access token (RFC 6749 section 5.2).",
  ),
  hint: described(z.string(), "What to do."),
};

/** Documents a member of a response. */
export function described<Schema extends z.ZodMiniType>(schema: Schema, description: string): Schema {
  return schema.check(z.describe(description));
}

/** A string that may be absent. */
export function optionalText(description: string) {
  return described(z.exactOptional(z.string()), description);
}
