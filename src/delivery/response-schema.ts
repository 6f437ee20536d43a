import * as z from "zod/mini";
import {
  described,
  diagnosisFields,
  envelopeFieldsWith,
  okFields,
  optionalText,
} from "../http/response-schema.ts";
import { MAIL_STATES } from "./mail-row.ts";
import type { FailureReport } from "./report.ts";
import type { MailStatus } from "./status.ts";

const id = described(z.string(), "Id of the mail: a UUID.");

const state = described(
  z.enum(MAIL_STATES),
  "queued: waits for an attempt. sending: an attempt is under way. sent: the tenant's SMTP server accepted the mail. failed: no further attempt. expired: expiresAt came first. canceled: by a request.",
);

/** A mail's id and present state. */
export const acceptedMailSchema = z.object({ id, state });

const acceptedFields = envelopeFieldsWith("ACCEPTED");

/** The response to one accepted mail. */
export const acceptedSchema = z.object({ ...acceptedFields, id, state });

/** The response to an accepted batch. */
export const batchAcceptedSchema = z.object({
  ...acceptedFields,
  messages: described(z.array(acceptedMailSchema), "The mails, in the order of the request."),
});

/** The last failure of a mail, or of the outbox it waits in. */
export const mailFailureSchema = z.object({
  message: described(z.string(), "The failure, as a sentence for people."),
  ...diagnosisFields,
}) satisfies z.ZodMiniType<FailureReport>;

const statusFields = {
  id,
  state,
  attempts: described(z.int().check(z.minimum(0)), "Attempts to send this mail. Waiting costs none."),
  createdAt: described(z.iso.datetime(), "Time of acceptance (RFC 3339, UTC)."),
  expiresAt: described(z.iso.datetime(), "Time after which no attempt starts."),
  nextAttemptAt: described(z.exactOptional(z.iso.datetime()), "Earliest next attempt, while queued."),
  waitingFor: described(
    z.exactOptional(z.enum(["server", "settings"])),
    "What every mail of the tenant waits for: the SMTP server, or working settings. Absent if this mail waits for its own next attempt.",
  ),
  messageId: optionalText("Message-ID of the mail, the same in each attempt. Absent before the first one."),
  tag: optionalText("tag of the request."),
  failure: described(z.exactOptional(mailFailureSchema), "The last failure, worded like a failed test."),
};

/** A mail, without recipient and content. */
export const mailStatusSchema = z.object(statusFields) satisfies z.ZodMiniType<MailStatus>;

/** The response to a read, retry or cancellation of a mail. */
export const mailReadSchema = z.object({ ...okFields, ...statusFields });

/** The response to a list of mails. */
export const mailsReadSchema = z.object({
  ...okFields,
  messages: described(z.array(mailStatusSchema), "The mails, newest first."),
  cursor: optionalText("Start of the next page. Absent on the last one."),
});
