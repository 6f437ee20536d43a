import MailComposer from "nodemailer/lib/mail-composer";
import { parseHost } from "./host.ts";
import type { SmtpSettings } from "./smtp-settings.ts";

/** What a mail says, apart from whom it is from, which the settings tell. */
export interface Content {
  /** One address. */
  to: string;
  subject: string;
  text: string;
  html: string;
  /** The same for each try to send this mail, and for no other mail: the left part of its Message-ID. */
  id: string;
}

/** A mail ready for the wire. */
export interface Message {
  /** MAIL FROM and RCPT TO (RFC 5321 section 3.3), domains in ASCII. */
  envelope: { from: string; to: string };
  /** RFC 5322 with CRLF line ends. */
  raw: Buffer;
  /** Whether its header holds an address that only SMTPUTF8 can carry (RFC 6531 section 3.2). */
  headerNeedsSmtpUtf8: boolean;
}

/**
 * Composes a mail in the name of a tenant: text and HTML as alternatives, everything in UTF-8.
 *
 * @see RFC 5322 section 3.6.4 for Message-ID: its right part is the sender's domain
 */
export async function compose(
  settings: SmtpSettings,
  { to, subject, text, html, id }: Content,
): Promise<Message> {
  const { from, fromDisplayName, replyTo, replyToDisplayName, envelopeFrom } = settings;
  const sender = asciiDomain(from);
  const composer = new MailComposer({
    from: { name: fromDisplayName ?? "", address: sender },
    to: { name: "", address: asciiDomain(to) },
    ...(replyTo === undefined
      ? {}
      : { replyTo: { name: replyToDisplayName ?? "", address: asciiDomain(replyTo) } }),
    subject,
    text,
    html,
    messageId: `<${id}@${sender.slice(sender.lastIndexOf("@") + 1)}>`,
    newline: "win",
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const raw = await composer.compile().build();
  return {
    envelope: { from: asciiDomain(envelopeFrom ?? from), to: asciiDomain(to) },
    raw,
    headerNeedsSmtpUtf8: raw.subarray(0, raw.indexOf("\r\n\r\n")).some((byte) => byte > 0x7f),
  };
}

// IDNA: servers without SMTPUTF8 take a domain of another script in punycode only (RFC 5890).
function asciiDomain(address: string): string {
  const at = address.lastIndexOf("@");
  const domain = parseHost(address.slice(at + 1));
  return "host" in domain ? `${address.slice(0, at)}@${domain.host}` : address;
}
