import * as z from "zod/mini";
import type { HistoryEntry } from "../history/entry.ts";
import type { Envelope } from "../http/envelope.ts";
import { MASKED_PASSWORD, type Settings } from "../settings/schema.ts";
import type { Step } from "../smtp/conversation.ts";
import type { Diagnosis } from "../smtp/diagnosis.ts";

const envelope = {
  message: z.string(),
  status: z.string(),
  subSystem: z.literal(8 satisfies Envelope["subSystem"]),
};

const ok = { ...envelope, status: z.literal("OK") };

const text = z.exactOptional(z.string());

/** A save or a deletion that succeeded. */
export const doneSchema = z.object(ok);

/** Settings as they are read. */
export const settingsViewSchema = z.object({
  host: z.string(),
  port: z.string(),
  from: z.string(),
  fromDisplayName: text,
  replyTo: text,
  replyToDisplayName: text,
  envelopeFrom: text,
  starttls: z.boolean(),
  ssl: z.boolean(),
  auth: z.exactOptional(z.boolean()),
  user: text,
  password: z.exactOptional(z.literal(MASKED_PASSWORD)),
} satisfies Record<keyof Settings, z.ZodMiniType>);

/** A read that found settings. */
export const settingsReadSchema = z.object({
  ...ok,
  settings: settingsViewSchema,
  updatedAt: z.iso.datetime(),
  updatedBy: z.string(),
  warnings: z.array(z.string()),
});

const stage = z.enum(["connect", "greeting", "tls", "authentication", "sender", "recipient", "message"]);

/** A stage of a conversation with an SMTP server that was passed. */
export const stepSchema = z.object({
  stage,
  milliseconds: z.int().check(z.minimum(0)),
  tls: z.exactOptional(z.enum(["implicit", "STARTTLS", "none"])),
  mechanism: text,
  reply: text,
}) satisfies z.ZodMiniType<Step>;

/** A test that succeeded. */
export const testPassedSchema = z.object({ ...ok, steps: z.array(stepSchema) });

/** Who did something, by the token's claims. */
export const historyCallerSchema = z.object({ sub: text, preferred_username: text, azp: text });

/** One line of a tenant's history. */
export const historyEntrySchema = z.object({
  at: z.iso.datetime(),
  action: z.enum(["saved", "deleted", "tested", "test_refused"]),
  family: z.enum(["SSMS", "SHIFT"]),
  requestId: z.string(),
  by: historyCallerSchema,
  changed: z.exactOptional(z.array(z.string())),
}) satisfies z.ZodMiniType<HistoryEntry>;

/** A page of history. */
export const historySchema = z.object({ ...ok, entries: z.array(historyEntrySchema), cursor: text });

/** A Worker that can serve. */
export const healthSchema = z.object({ ...ok, version: z.string() });

/** A Worker that cannot. */
export const notHealthySchema = z.object({ ...envelope, version: z.string() });

/** This description of the API. */
export const openApiSchema = z.object({
  openapi: z.literal("3.1.1"),
  info: z.record(z.string(), z.unknown()),
  paths: z.record(z.string(), z.unknown()),
});

/** Any refusal that needs no more than its sentence. */
export const refusalSchema = z.object(envelope) satisfies z.ZodMiniType<Envelope>;

/** One request field that is not valid. */
export const fieldErrorSchema = z.object({ field: z.string(), message: z.string() });

/** A request that is not valid. */
export const badRequestSchema = z.object({
  ...envelope,
  status: z.literal("BAD_REQUEST"),
  errors: z.exactOptional(z.array(fieldErrorSchema)),
});

/** A conversation with an SMTP server that ended early. */
export const smtpFailedSchema = z.object({
  ...envelope,
  status: z.literal("BAD_GATEWAY"),
  stage,
  smtpCode: z.exactOptional(z.int().check(z.minimum(200), z.maximum(599))),
  enhancedCode: text,
  reply: text,
  hint: z.string(),
  steps: z.array(stepSchema),
}) satisfies z.ZodMiniType<Envelope & Diagnosis>;
