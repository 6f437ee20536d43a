import { isAscii } from "../mail/address.ts";
import type { Message } from "../mail/message.ts";
import type { Capabilities } from "./capabilities.ts";
import type { Stage } from "./result.ts";

/** Why a server cannot accept a message, and the stage that would fail. */
interface EnvelopeProblem {
  kind: "smtputf8_not_offered" | "too_large";
  stage: Stage;
}

/** Checks whether a server supports what a message requires. */
export function envelopeProblem(
  message: Message,
  { extensions, maxMessageSize }: Capabilities,
): EnvelopeProblem | undefined {
  const stage = stageRequiringSmtpUtf8(message);
  if (stage !== undefined && !extensions.has("SMTPUTF8")) return { kind: "smtputf8_not_offered", stage };
  if (maxMessageSize !== undefined && message.raw.length > maxMessageSize) {
    return { kind: "too_large", stage: "message" };
  }
  return undefined;
}

/**
 * MAIL and RCPT for a message, with the parameters that it requires (RFC 5321 section 4.1.1).
 *
 * @throws {Error} if an address would inject a command
 */
export function envelopeCommands(
  message: Message,
  { extensions }: Capabilities,
): [mail: string, rcpt: string] {
  const { envelope, raw } = message;
  const parameters = [
    ...(requiresSmtpUtf8(message) ? [" SMTPUTF8"] : []),
    ...(extensions.has("SIZE") ? [` SIZE=${raw.length}`] : []),
  ];
  return [`MAIL FROM:${path(envelope.from)}${parameters.join("")}`, `RCPT TO:${path(envelope.to)}`];
}

/** Whether MAIL for a message carries SMTPUTF8. */
export function requiresSmtpUtf8(message: Message): boolean {
  return stageRequiringSmtpUtf8(message) !== undefined;
}

/** The stage whose address requires SMTPUTF8 (RFC 6531 section 3.4); a header's counts as the sender's. */
function stageRequiringSmtpUtf8({ envelope, headerNeedsSmtpUtf8 }: Message): Stage | undefined {
  if (!isAscii(envelope.from)) return "sender";
  if (!isAscii(envelope.to)) return "recipient";
  return headerNeedsSmtpUtf8 ? "sender" : undefined;
}

/** A path of RFC 5321 section 4.1.2. Addresses are valid by now; this is the last defense against injection. */
function path(address: string): string {
  if (/[\p{Cc}<>]/u.test(address)) throw new Error("An address holds a control character or angle bracket");
  return `<${address}>`;
}
