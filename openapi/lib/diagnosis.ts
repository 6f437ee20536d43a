import * as z from "zod/mini";
import type { Diagnosis } from "../../src/smtp/diagnosis.ts";
import { STAGES, type Step, TLS_STATES } from "../../src/smtp/result.ts";
import { envelopeFieldsWith } from "./envelope.ts";
import { described, named, optionalText } from "./schemas.ts";

const stageSchema = z.enum(STAGES);

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

const stepSchema = named(
  "Step",
  z.object({
    stage: described(stageSchema, "The completed stage."),
    milliseconds: described(z.int().check(z.minimum(0)), "Time since the previous step."),
    tls: described(z.exactOptional(z.enum(TLS_STATES)), "How the connection is encrypted, in stage tls."),
    mechanisms: described(
      z.exactOptional(z.readonly(z.array(z.string()))),
      "SASL mechanisms that the server offers, in the last step before authentication.",
    ),
    mechanism: optionalText("The SASL mechanism used, in stage authentication."),
    reply: optionalText(
      "The server's reply to the message. In a probe, a negative reply that does not question the settings.",
    ),
  }) satisfies z.ZodMiniType<Step>,
);

/** The completed stages of a session. */
export const stepsSchema = described(z.array(stepSchema), "The completed stages, in order.");

/** The response to a failed test. */
export const smtpFailedSchema = named(
  "SmtpFailed",
  z.object({
    ...envelopeFieldsWith("BAD_GATEWAY"),
    ...diagnosisFields,
    steps: stepsSchema,
  }) satisfies z.ZodMiniType<Diagnosis>,
);
