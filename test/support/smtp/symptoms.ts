import type { Example, Symptom } from "../../../src/smtp/replies/row.ts";
import { parseReply } from "../../../src/smtp/reply.ts";
import type { SmtpSettings } from "../../../src/smtp/smtp-settings.ts";

const SETTINGS: SmtpSettings = {
  host: "smtp.example.net",
  port: 587,
  starttls: true,
  ssl: false,
  user: "ada@example.com",
  password: "s3cret",
};

/** A symptom, of a server that is nobody's in particular unless `host` names one. */
export function symptomOf(example: Example, host = SETTINGS.host): Symptom {
  const { stage, kind = "reply", reply, settings, mechanisms, challenge, oauth } = example;
  return {
    kind,
    stage,
    settings: { ...SETTINGS, host, ...settings },
    reply: reply === undefined ? undefined : parseReply(reply, Infinity),
    clientName: "mail.example.com",
    mechanisms,
    challenge,
    oauth,
  };
}
