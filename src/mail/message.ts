import MailComposer from "nodemailer/lib/mail-composer";
import { encodeWord, foldLines } from "nodemailer/lib/mime-funcs";
import MimeNode from "nodemailer/lib/mime-node";
import { defined } from "../defined.ts";
import { asciiDomain } from "./address.ts";
import { serializeMime } from "./mime.ts";

/** Whom a message is from. */
export interface Sender {
  from: string;
  fromDisplayName?: string | undefined;
  replyTo?: string | undefined;
  replyToDisplayName?: string | undefined;
  /** The address in MAIL FROM, if different from `from`. */
  envelopeFrom?: string | undefined;
}

/** The recipient and content of a message. */
export interface MailContent {
  /** One address. */
  to: string;
  subject: string;
  text?: string | undefined;
  html?: string | undefined;
  /** Replaces the sender's. */
  replyTo?: string | undefined;
  /** Further headers, already checked for line breaks. */
  headers?: Readonly<Record<string, string | undefined>> | undefined;
  /** The same for each attempt to send this message, and unique to it. See {@link messageIdFor}. */
  messageId: string;
  /** When it was accepted (RFC 5322 section 3.6.1). Default: now. */
  date?: Date;
}

/** A message ready to send. */
export interface Message {
  /** MAIL FROM and RCPT TO (RFC 5321 section 3.3), with domains in ASCII. */
  envelope: { from: string; to: string };
  /** Header and body (RFC 5322). A text with bare CR or LF may leave some of them in the body. */
  raw: Buffer;
  /** Whether the header contains an address that requires SMTPUTF8 (RFC 6531 section 3.2). */
  headerNeedsSmtpUtf8: boolean;
}

/**
 * Keeps vacation responders from answering: RFC 3834 section 5, and for Exchange [MS-OXCMAIL] section 2.1.3.2.20.
 *
 * @see https://learn.microsoft.com/en-us/openspecs/exchange_server_protocols/ms-oxcmail/
 */
const NO_AUTOMATIC_REPLIES = {
  "Auto-Submitted": "auto-generated",
  "X-Auto-Response-Suppress": "OOF, AutoReply",
};

/** Characters of a line, where it can be folded. */
const LINE_LENGTH = 76;

/** Spaces in a row that folding may leave alone on a line of {@link LINE_LENGTH}. */
const BLANK_LINE = " ".repeat(60);

/** Characters of an encoded word: with the name of its field, it fits on a line of 76 (RFC 2047 section 2). */
const ENCODED_WORD_LENGTH = 52;

/** The Message-ID for an id: its right part is the sender's domain (RFC 5322 section 3.6.4). */
export function messageIdFor(id: string, { from }: Sender): string {
  const address = asciiDomain(from);
  return `<${id}@${address.slice(address.lastIndexOf("@") + 1)}>`;
}

/** Composes a message in UTF-8, with text and HTML as alternatives if it has both. */
export function composeMessage(sender: Sender, content: MailContent): Message {
  const { fromDisplayName, envelopeFrom } = sender;
  const { subject, text, html, headers, messageId, date } = content;
  const [from, to] = [asciiDomain(sender.from), asciiDomain(content.to)];
  const replyTo = replyToOf(sender, content);
  const composer = new MailComposer({
    to: { name: "", address: to },
    ...defined({ text, html, date }),
    subject: encodedIfAmbiguous(subject),
    messageId,
    headers: {
      ...NO_AUTOMATIC_REPLIES,
      ...definedEntries(headers ?? {}),
    },
    newline: "win",
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const mailboxes = [
    mailboxField("From", { name: fromDisplayName ?? "", address: from }),
    ...(replyTo ? [mailboxField("Reply-To", replyTo)] : []),
  ];
  const message = mailboxes.join("") + serializeMime(composer.compile());
  return {
    envelope: { from: envelopeFrom === undefined ? from : asciiDomain(envelopeFrom), to },
    raw: Buffer.from(message),
    headerNeedsSmtpUtf8: /\P{ASCII}/u.test(message.slice(0, message.indexOf("\r\n\r\n"))),
  };
}

interface Mailbox {
  name: string;
  address: string;
}

function replyToOf({ replyTo, replyToDisplayName }: Sender, content: MailContent): Mailbox | undefined {
  if (content.replyTo !== undefined) return { name: "", address: asciiDomain(content.replyTo) };
  if (!replyTo) return undefined;
  return { name: replyToDisplayName ?? "", address: asciiDomain(replyTo) };
}

/** Writes a mailbox as a field. nodemailer quotes a name in ASCII, and clients decode encoded words in quotes as well. */
function mailboxField(field: "From" | "Reply-To", { name, address }: Mailbox): string {
  const nameless = MimeNode.encodeHeaderValue(field, { name: "", address });
  const encoded = encodedIfAmbiguous(name);
  const value =
    encoded === name
      ? MimeNode.encodeHeaderValue(field, { name, address })
      : `${encoded} <${nameless.replace(/^<(.*)>$/, "$1")}>`;
  return `${foldLines(`${field}: ${value}`, LINE_LENGTH)}\r\n`;
}

/**
 * Encodes a text that contains what may pass for an encoded word (RFC 2047), so that it is displayed as it was typed:
 * decoded, it could hold what is not valid otherwise. Likewise one whose spaces would become a line of nothing else (RFC
 * 5322 section 3.2.2), where some take the header to end.
 */
function encodedIfAmbiguous(text: string): string {
  const isAmbiguous = text.includes("=?") || text.includes(BLANK_LINE);
  return isAmbiguous ? encodeWord(text, "Q", ENCODED_WORD_LENGTH) : text;
}

function definedEntries(headers: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) => (value ? [[name, value]] : [])),
  );
}
