import * as z from "zod/mini";
import { MECHANISMS_MAX } from "../../src/smtp/capabilities.ts";
import type { Diagnosis } from "../../src/smtp/diagnosis.ts";
import { DISPLAYED_MAX_CHARACTERS } from "../../src/smtp/reply.ts";
import { STAGES, type Step, TLS_STATES } from "../../src/smtp/result.ts";
import { envelopeFieldsWith } from "./envelope.ts";
import { described, list, named, optionalList, optionalText, string, text } from "./schemas.ts";

/** A hint may list all mechanisms. */
const HINT_MAX_CHARACTERS = 1_000;

const stageSchema = z.enum(STAGES);

/** Members that describe a failed session with an SMTP server, beside `message`. */
export const diagnosisFields = {
  stage: described(stageSchema, "The stage that failed."),
  smtpCode: described(
    z.exactOptional(z.int().check(z.minimum(200), z.maximum(599))),
    "Code of the server's negative reply, if any (RFC 5321 section 4.2).",
  ),
  enhancedCode: optionalText(9, "Its enhanced status code, if any (RFC 3463)."),
  reply: optionalText(DISPLAYED_MAX_CHARACTERS, "The server's reply: one printable line."),
  challenge: optionalText(
    DISPLAYED_MAX_CHARACTERS,
    "Why the server rejects an access token, usually as JSON (RFC 7628 section 3.2.2): one printable line.",
  ),
  oauth: described(
    z.exactOptional(
      z.object({
        status: described(z.exactOptional(z.int().check(z.minimum(100), z.maximum(599))), "HTTP status."),
        error: optionalText(300, "OAuth error code."),
        error_description: optionalText(300, "Its description: one printable line."),
      }),
    ),
    "Response of the token endpoint, if it is why there is no access token (RFC 6749 section 5.2).",
  ),
  hint: text(HINT_MAX_CHARACTERS, "What to do."),
};

const stepSchema = named(
  "Step",
  z.object({
    stage: described(stageSchema, "The completed stage."),
    milliseconds: described(z.int().check(z.minimum(0)), "Time since the previous step."),
    tls: described(z.exactOptional(z.enum(TLS_STATES)), "How the connection is encrypted, in stage tls."),
    mechanisms: optionalList(
      string(20),
      MECHANISMS_MAX,
      "SASL mechanisms that the server offers, in the last step before authentication.",
    ),
    mechanism: optionalText(20, "The SASL mechanism used, in stage authentication."),
    reply: optionalText(
      // In a probe, with both codes before the text.
      DISPLAYED_MAX_CHARACTERS + 14,
      "The server's reply to the message. In a probe, a negative reply that does not question the settings.",
    ),
  }) satisfies z.ZodMiniType<Step>,
);

/** The completed stages of a session. */
export const stepsSchema = list(stepSchema, STAGES.length, "The completed stages, in order.");

/** The response to a failed test. */
export const smtpFailedSchema = named(
  "SmtpFailed",
  z.object({
    ...envelopeFieldsWith("BAD_GATEWAY"),
    ...diagnosisFields,
    steps: stepsSchema,
  }) satisfies z.ZodMiniType<Diagnosis>,
);
