import * as z from "zod/mini";
import {
  described,
  diagnosisFields,
  envelopeFieldsWith,
  okFields,
  optionalText,
  stageSchema,
} from "../http/response-schema.ts";
import type { Diagnosis } from "../smtp/diagnosis.ts";
import { type Step, TLS_STATES } from "../smtp/result.ts";
import { MASK, SECRET_FIELDS, settingsFields } from "./schema.ts";

/** Settings as a read returns them: as they are stored, except for the port, the TLS flags and the secrets. */
export const settingsResponseSchema = z.object({
  ...Object.fromEntries(Object.entries(settingsFields).map(([name, field]) => [name, storedValue(field)])),
  port: described(z.string(), "Port."),
  starttls: describedAs(settingsFields.starttls, z.boolean()),
  ssl: describedAs(settingsFields.ssl, z.boolean()),
  ...Object.fromEntries(
    SECRET_FIELDS.map((field) => [
      field,
      described(
        z.exactOptional(z.literal(MASK)),
        "Stands for the stored secret, which is never returned. Absent if none is stored.",
      ),
    ]),
  ),
});

/** The response to a read. */
export const settingsReadSchema = z.object({
  ...okFields,
  settings: described(settingsResponseSchema, "The settings. They can be sent back unchanged."),
  updatedAt: described(z.iso.datetime(), "Time of the save (RFC 3339, UTC)."),
  updatedBy: described(z.string(), "Name of the caller who saved."),
  warnings: described(z.array(z.string()), "Warnings about valid but probably unintended settings."),
});

/** A completed stage of an SMTP session. */
export const stepSchema = z.object({
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
}) satisfies z.ZodMiniType<Step>;

const steps = described(z.array(stepSchema), "The completed stages, in order.");

/** The response to a successful test. */
export const testPassedSchema = z.object({ ...okFields, steps });

/** The response to a failed test. */
export const smtpFailedSchema = z.object({
  ...envelopeFieldsWith("BAD_GATEWAY"),
  ...diagnosisFields,
  steps,
}) satisfies z.ZodMiniType<Diagnosis>;

function storedValue(field: z.ZodMiniType & { def: { out: z.ZodMiniType } }): z.ZodMiniType {
  return describedAs(field, field.def.out);
}

function describedAs(field: z.ZodMiniType, schema: z.ZodMiniType): z.ZodMiniType {
  return described(schema, z.globalRegistry.get(field)?.description ?? "");
}
