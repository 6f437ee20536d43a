import { type Capabilities, NO_CAPABILITIES, parseCapabilities } from "./capabilities.ts";
import { POSITIVE } from "./reply.ts";

// How an SMTP server rejects a client at the greeting, and at EHLO or HELO (RFC 5321 section 4.3.2). Other
// servers greet with 220 too: FTP servers reply to EHLO with 500, 502 or 530.
const REJECTED_GREETING = /^(421|554)([ -]|$)/;
const EHLO_REJECTED_WITH = /^(421|45\d|501|504|55\d)([ -]|$)/;

/** What a server shows of itself in greeting and EHLO. */
export class Handshake {
  /** What the server offers now. */
  capabilities: Capabilities = NO_CAPABILITIES;
  /** Whether it has offered STARTTLS. */
  startTlsOffered = false;
  /** Whether greeting and EHLO reply are those of an SMTP server. */
  isSmtpServer = false;

  /** @param verb EHLO, HELO or STARTTLS */
  onCommand(verb: string): void {
    // RFC 3207 section 4.2: the client discards what the server offered before TLS.
    if (verb === "EHLO") this.capabilities = NO_CAPABILITIES;
  }

  /** @param verb the command that the reply answers; `undefined` for the greeting */
  onReply(verb: string | undefined, reply: string): void {
    const positive = POSITIVE.test(reply);
    if (verb === undefined) this.isSmtpServer ||= REJECTED_GREETING.test(reply);
    if (verb === "EHLO" || verb === "HELO") this.isSmtpServer ||= positive || EHLO_REJECTED_WITH.test(reply);
    if (verb === "EHLO" && positive) {
      this.capabilities = parseCapabilities(reply);
      this.startTlsOffered ||= this.capabilities.extensions.has("STARTTLS");
    }
  }
}
