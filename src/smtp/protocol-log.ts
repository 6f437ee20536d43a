import { SMTP_REPLY_TIMEOUT_MS } from "../limits.ts";
import type { Conversation } from "./conversation.ts";
import type { Watchdog } from "./watchdog.ts";

/** What nodemailer says beside a line of its log. */
interface Entry {
  tnx?: string;
  discarded?: number;
}

// RFC 5321 section 4.3.2: what an SMTP server turns a client away with, at its greeting and at EHLO or HELO.
// Others greet with 220, too: FTP servers, for one, and what those say to EHLO is 500, 502 or 530.
const TURNED_AWAY = /^(421|554)([ -]|$)/;
const TURNED_AWAY_BY_NAME = /^(421|45\d|501|504|55\d)([ -]|$)/;

// nodemailer logs the piece of a reply that a closing server leaves, too: no "25" is a 250.
const POSITIVE = /^2\d\d([ -]|$)/;

/**
 * Listens to nodemailer's log, which is where it tells of each command and each whole reply, and keeps
 * account of the stages by them. nodemailer leaves credentials out of the log, and nothing of it is kept
 * but the names of commands and the replies needed here.
 */
export class ProtocolLog {
  readonly #conversation: Conversation;
  readonly #watchdog: Watchdog;
  readonly #unanswered: string[] = [];
  #ehlo = "";
  /** Whether the server has offered STARTTLS. */
  startTlsOffered = false;
  /** Whether the server has shown itself to be an SMTP server, by its greeting and its answer to EHLO. */
  greeted = false;
  /** Whether bytes came in clear where the server's TLS should have begun (CVE-2011-0411). */
  plaintextInjected = false;
  /** Called when something happens beside commands and replies: connected, TLS begun, closed. */
  onNews: () => void = () => {};

  constructor(conversation: Conversation, watchdog: Watchdog) {
    this.#conversation = conversation;
    this.#watchdog = watchdog;
  }

  /** Whether the server's last EHLO reply has an extension, such as `STARTTLS`. */
  offers(extension: string): boolean {
    return this.#ehloLines().some((line) => line.split(" ")[0] === extension);
  }

  /** The SASL mechanisms of the server's last EHLO reply (RFC 4954 section 3; `AUTH=` is of before it). */
  mechanisms(): string[] {
    return this.#ehloLines()
      .filter((line) => /^AUTH[ =]/.test(line))
      .flatMap((line) => line.split(/[ =]+/).slice(1));
  }

  debug(entry: Entry, text: string): void {
    if (entry.tnx === "client") this.#onCommand(text);
    if (entry.tnx === "server") this.#onReply(text);
  }

  warn(entry: Entry): void {
    if (entry.discarded !== undefined) this.plaintextInjected = true;
  }

  info(): void {
    this.onNews();
  }

  error(): void {}

  #onCommand(text: string): void {
    const command = text.split(" ")[0] ?? "";
    this.#unanswered.push(command);
    // RFC 3207 section 4.2: what the server said before TLS counts for nothing after it.
    if (command === "EHLO") this.#ehlo = "";
    if (command === "STARTTLS") this.#conversation.pass({ stage: "greeting" }, "tls");
  }

  #onReply(text: string): void {
    this.#watchdog.allow(SMTP_REPLY_TIMEOUT_MS);
    const command = this.#unanswered.shift();
    const accepted = POSITIVE.test(text);
    if (command === undefined) this.greeted ||= TURNED_AWAY.test(text);
    if (command === "EHLO" || command === "HELO") this.greeted ||= accepted || TURNED_AWAY_BY_NAME.test(text);
    const { stage } = this.#conversation;
    if (command === "EHLO" && accepted) {
      this.#ehlo = text;
      this.startTlsOffered ||= this.offers("STARTTLS");
    }
    if (command === "MAIL" && accepted && stage === "sender") this.#conversation.pass({ stage }, "recipient");
    if (command === "RCPT" && accepted && stage === "recipient")
      this.#conversation.pass({ stage }, "message");
  }

  #ehloLines(): string[] {
    return this.#ehlo.split("\n").map((line) => line.slice(4).trim().toUpperCase());
  }
}
