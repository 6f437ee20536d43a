/** How far a conversation with an SMTP server came, in the order in which the stages are passed. */
export type Stage = "connect" | "greeting" | "tls" | "authentication" | "sender" | "recipient" | "message";

/** A stage that was passed. */
export interface Step {
  stage: Stage;
  /** Time since the stage before. */
  milliseconds: number;
  /** How the connection is encrypted, if it is (stage `tls`). */
  tls?: "implicit" | "STARTTLS" | "none";
  /** SASL mechanism (stage `authentication`). */
  mechanism?: string;
  /** What the server said when it took the message, its queue id included (stage `message`). */
  reply?: string;
}

/** What ended a conversation early. `reply`: the server said no; the others are our own findings. */
export type FailureKind =
  | "not_connected"
  | "not_smtp"
  | "reply"
  | "timeout"
  | "closed"
  | "protocol_error"
  | "starttls_not_offered"
  | "tls_failed"
  | "plaintext_injected"
  | "credentials_need_tls"
  | "authentication_not_offered"
  | "smtputf8_not_offered"
  | "too_large";

/** A conversation that ended early, with what was passed before. */
export class SmtpFailure extends Error {
  override readonly name = "SmtpFailure";
  readonly kind: FailureKind;
  readonly stage: Stage;
  readonly steps: readonly Step[];
  /** The server's reply, as it came. */
  readonly reply: string | undefined;

  constructor(kind: FailureKind, stage: Stage, steps: readonly Step[], reply?: string) {
    super(kind);
    this.kind = kind;
    this.stage = stage;
    this.steps = steps;
    this.reply = reply;
  }
}

/** Keeps account of a conversation: the stage it is in, and the stages it passed. */
export class Conversation {
  readonly steps: Step[] = [];
  stage: Stage = "connect";
  #since = Date.now();

  /** Notes that a stage is passed, and which one comes next. */
  pass(step: Omit<Step, "milliseconds">, next: Stage): void {
    const now = Date.now();
    this.steps.push({ ...step, milliseconds: now - this.#since });
    this.#since = now;
    this.stage = next;
  }

  failure(kind: FailureKind, reply?: string): SmtpFailure {
    return new SmtpFailure(kind, this.stage, this.steps, reply);
  }
}
