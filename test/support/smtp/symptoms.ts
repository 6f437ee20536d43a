import {
  type ClassificationContext,
  symptomOf as symptomOfFailure,
} from "../../../src/smtp/replies/classify.ts";
import type { Example, Symptom } from "../../../src/smtp/replies/row.ts";
import { fillHint, rowFor } from "../../../src/smtp/replies/rows.ts";
import type { SmtpFailure } from "../../../src/smtp/result.ts";
import { smtpFailure } from "./failures.ts";

const SETTINGS: ClassificationContext["settings"] = {
  host: "smtp.example.net",
  port: 587,
  starttls: true,
  ssl: false,
  user: "ada@example.com",
  password: "s3cret",
  from: "ada@example.com",
};

/** The failure of an example, and the settings that it is of. */
export function failureOf(
  { stage, kind = "reply", reply, silentMs, settings, mechanisms, challenge, oauth }: Example,
  host = SETTINGS.host,
): { failure: SmtpFailure; context: ClassificationContext } {
  const steps = mechanisms === undefined ? [] : [{ stage: "tls" as const, milliseconds: 1, mechanisms }];
  const details = {
    steps,
    ...(reply === undefined ? {} : { reply }),
    ...(silentMs === undefined ? {} : { silentMs }),
    ...(challenge === undefined ? {} : { challenge }),
    ...(oauth === undefined ? {} : { oauth }),
  };
  return {
    failure: smtpFailure(kind, stage, details),
    context: {
      settings: { ...SETTINGS, host, ...settings },
      recipient: "reader@example.org",
      clientName: "mail.example.com",
    },
  };
}

/** A symptom, of a server that is nobody's in particular unless `host` names one. */
export function symptomOf(example: Example, host?: string): Symptom {
  const { failure, context } = failureOf(example, host);
  return symptomOfFailure(failure, context);
}

/** The hint of the row that a symptom selects. */
export function hintFor(symptom: Symptom): string {
  return fillHint(rowFor(symptom), symptom);
}
