import { asciiDomain, isAscii } from "../../mail/address.ts";
import { parseReply } from "../reply.ts";
import { precedesMail, type SmtpFailure, type Stage } from "../result.ts";
import type { SmtpSettings } from "../smtp-settings.ts";
import { CODES, LAST_RESORT, NO_USER } from "./common.ts";
import { namedAddresses, namesClient, ownWords } from "./own-words.ts";
import type { Cause, Row, Subject, Symptom } from "./row.ts";
import { fillHint, rowFor } from "./rows.ts";

/** What has worked with the settings of a failed session, as far as is known. */
export interface Worked {
  /** A login. */
  login: boolean;
  /** MAIL. */
  sender: boolean;
  /** A message. */
  message: boolean;
  /** Another message, on the connection that had refused this one. */
  others: boolean;
}

const NOTHING_WORKED: Worked = { login: false, sender: false, message: false, others: false };

/** What decides the meaning of a failure beside the failure itself. */
export interface ClassificationContext {
  settings: SmtpSettings & { from?: string | undefined; envelopeFrom?: string | undefined };
  /** The recipient of the message, if there is one. */
  recipient?: string | undefined;
  worked?: Worked | undefined;
  /** Our name in EHLO, for the hint if the server rejects it. */
  clientName?: string | undefined;
}

/** What a failure means. */
export interface Classification {
  /** What is at fault. */
  cause: Cause;
  /** What it is about. */
  subject: Subject;
  /** What shows the cause. */
  basis: "stage" | "code" | "address" | "experience" | "words";
  /** Whether no attempt can succeed: the recipient or the content is at fault beyond doubt. */
  isFinal: boolean;
  /** What to do. */
  hint: string;
}

type Judgment = Omit<Classification, "hint">;

const SUBJECTS: Record<Stage, Subject> = {
  connect: "connection",
  greeting: "connection",
  tls: "connection",
  token: "token",
  authentication: "password",
  sender: "sender",
  recipient: "recipient",
  message: "content",
};

/**
 * Enhanced codes about the recipient's address or mailbox (RFC 3463 sections 3.2 and 3.3; RFC 7505), and those of
 * Exchange about a recipient who does not accept mail from this sender. Exchange's own codes from 5.2.100 on are about
 * limits and rights of the sender.
 *
 * @see https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online
 */
const RECIPIENT_CODE = /^5\.(1\.([1236]|10)|2\.[0124]|7\.(124|129|133|134))$/;

/** Enhanced codes about the size or form of the content (RFC 3463 sections 3.3, 3.4 and 3.7). */
const CONTENT_CODE = /^5\.(2\.3|3\.4|6\.\d+)$/;

/** Replies to MAIL that reject its parameter SMTPUTF8 (RFC 6531 section 3.5, RFC 5321 section 4.1.1.11). */
const SMTPUTF8_CODES = [501, 553, 555];

/** Reply to a wrong user or password (RFC 4954 section 6). Exchange and others send it at random, too. */
const INVALID_CREDENTIALS = 535;

/** Words that cast doubt on a code about the recipient or the content, if no user was sent. */
const ASKS_FOR_USER = /\brelay|\bauth|\blog ?in\b|limit|too many|\brate\b/i;

/** Size limit, in reply to MAIL (RFC 1870 section 6.1). */
const SIZE_CODE = 552;

/**
 * Decides what a failure means: by stage, code, the addresses that the reply names, and what has worked before.
 * Words come last, and only the server's own. They may save a message, but never stop others.
 */
export function classify(failure: SmtpFailure, context: ClassificationContext): Classification {
  const symptom = symptomOf(failure, context);
  const row = rowFor(symptom);
  const judgment = judge(failure, symptom, row, context);
  const fits = judgment.cause === row.cause || row === LAST_RESORT;
  return { ...judgment, hint: fillHint(fits ? row : rowFor(symptom, judgment.cause), symptom) };
}

/** What selects the row for a failure. */
export function symptomOf(
  { kind, stage, steps, reply, challenge, isAuthRefused, oauth }: SmtpFailure,
  { settings, clientName }: ClassificationContext,
): Symptom {
  const mechanisms = steps.findLast((step) => step.mechanisms !== undefined)?.mechanisms;
  // Before MAIL, no third party is involved.
  const read = precedesMail(stage) ? (text: string) => parseReply(text, Number.POSITIVE_INFINITY) : ownWords;
  const words = reply === undefined ? undefined : read(reply);
  return { kind, stage, settings, reply: words, clientName, mechanisms, challenge, isAuthRefused, oauth };
}

function judge(
  failure: SmtpFailure,
  symptom: Symptom,
  row: Row,
  { settings, recipient, worked = NOTHING_WORKED }: ClassificationContext,
): Judgment {
  const { stage, smtputf8 } = failure;
  const isBeforeMail = precedesMail(stage);
  const isOfOneMessage = !isBeforeMail && stage !== "sender";
  const byRow: Judgment = {
    cause: row === LAST_RESORT && isOfOneMessage ? "message" : row.cause,
    subject: row.subject ?? SUBJECTS[stage],
    basis: "stage",
    isFinal: false,
  };
  if (symptom.reply === undefined) return judgeWithoutReply(failure, byRow, settings);

  const { code, enhancedCode = "" } = symptom.reply;
  const isPermanent = code >= 500;
  const isByCode = rowFor({ ...symptom, reply: { ...symptom.reply, text: "" } }) === row;
  const judgment: Judgment = { ...byRow, basis: isByCode ? "code" : "words" };
  // Words that blame something else save the message, until others show that it alone is refused.
  const isDoubted = NO_USER.rows.includes(row)
    ? ASKS_FOR_USER.test(symptom.reply.text)
    : row.cause !== "message";
  const isFinal = !isDoubted || row === LAST_RESORT || worked.others;

  if (!isBeforeMail && isPermanent) {
    const byCode = { cause: "message", basis: "code", isFinal } as const;
    const isAboutSize = enhancedCode === "" || row.subject === "content";
    const isSize = stage === "sender" && code === SIZE_CODE && isAboutSize;
    // Exchange reports limits and rights of the sender's own mailbox as "STOREDRV.Submission", with any code.
    const isOwnMailbox = stage !== "sender" && /submission/i.test(symptom.reply.text);
    if (!isOwnMailbox && (CONTENT_CODE.test(enhancedCode) || isSize))
      return { ...byCode, subject: "content" };
    if (!isOwnMailbox && isOfOneMessage && RECIPIENT_CODE.test(enhancedCode)) {
      return { ...byCode, subject: "recipient" };
    }
    if (stage === "sender" && smtputf8 && SMTPUTF8_CODES.includes(code)) {
      return { ...byCode, subject: judgment.subject, isFinal: false };
    }
    if (stage === "sender" && judgment.cause === "message") {
      // MAIL names no recipient: what it says of an address or a mailbox is about the sender's.
      const cause = enhancedCode.startsWith("5.2.") ? "account" : "settings";
      return { ...judgment, cause, subject: "sender", basis: "stage" };
    }
  }

  const named = isBeforeMail ? undefined : onlyNamed(failure.reply ?? "", settings, recipient);
  if (named === "sender") {
    const ofSender = { ...judgment, subject: "sender" } as const;
    return judgment.cause === "message" ? { ...ofSender, cause: "settings", basis: "address" } : ofSender;
  }
  if (!isBeforeMail && namesClient(failure.reply ?? "")) return { ...judgment, subject: "connection" };
  if (named === "recipient" && isPermanent) {
    const isRecipients = judgment.cause === "message" || (judgment.cause === "settings" && worked.others);
    if (isRecipients) {
      return { cause: "message", subject: "recipient", basis: "address", isFinal: true };
    }
  }
  const isGeneric = isBeforeMail ? isByCode && code === INVALID_CREDENTIALS : CODES.rows.includes(row);
  if (judgment.cause === "settings" && isPermanent && isGeneric && hasWorked(stage, worked)) {
    return { ...judgment, cause: "server", basis: "experience" };
  }
  return judgment;
}

function judgeWithoutReply(
  { kind, stage }: SmtpFailure,
  byRow: Judgment,
  { from, envelopeFrom }: ClassificationContext["settings"],
): Judgment {
  if (kind === "too_large") return { ...byRow, cause: "message", subject: "content", isFinal: true };
  if (kind !== "smtputf8_not_offered") return byRow;
  // Every message has the sender of the settings, but another address for replies may be its own.
  const isOfSettings =
    stage === "sender" && [from, envelopeFrom].some((address) => !isAscii(asciiDomain(address ?? "")));
  return isOfSettings
    ? { ...byRow, cause: "settings", subject: "sender" }
    : { ...byRow, cause: "message", isFinal: true };
}

function hasWorked(stage: Stage, worked: Worked): boolean {
  if (stage === "authentication") return worked.login;
  return stage === "sender" ? worked.sender : worked.message;
}

/** Whose address a reply names, if it names no other. */
function onlyNamed(
  reply: string,
  { from, envelopeFrom }: ClassificationContext["settings"],
  recipient: string | undefined,
): "sender" | "recipient" | undefined {
  const named = new Set(namedAddresses(reply));
  const isOnly = (address: string | undefined) => {
    if (address === undefined || named.size !== 1) return false;
    return [address, asciiDomain(address)].some((form) => named.has(form.toLowerCase()));
  };
  if ([from, envelopeFrom].some(isOnly)) return "sender";
  return isOnly(recipient) ? "recipient" : undefined;
}
