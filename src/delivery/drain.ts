import { composeMessage, type Message, messageIdFor } from "../mail/message.ts";
import type { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { tokenSettingsOf } from "../settings/token-settings.ts";
import { DELIVERY_TIMEOUTS } from "../smtp/limits.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure, SmtpResult } from "../smtp/result.ts";
import { SmtpSession, type SmtpSessionOptions } from "../smtp/session.ts";
import { authenticates } from "../smtp/smtp-settings.ts";
import { open, SealingError, type SealingKeys } from "../storage/sealing.ts";
import { type FailureReport, mayHaveArrived, reportOf, UNEXPECTED, UNREADABLE } from "./report.ts";
import {
  decide,
  decideDoubtful,
  decideUnopened,
  type MailDecision,
  type PauseDecision,
  retry,
} from "./retry-policy.ts";
import type { Mail } from "./schema.ts";
import type { ClaimedMail, MailStore } from "./store.ts";

/** Connections of one drain. Providers limit them: Microsoft 365 allows three. */
const MAX_CONNECTIONS = 2;

/** Mails per connection. Providers limit them as well. */
const MAX_MAILS_PER_CONNECTION = 100;

/** Mails per drain: an alarm has 30 seconds of CPU, and the largest mail takes 60 ms of it. */
const MAX_MAILS_PER_DRAIN = MAX_CONNECTIONS * MAX_MAILS_PER_CONNECTION;

/**
 * When a drain starts no further mail, in milliseconds. An alarm may run for 15 minutes, and the reply to a
 * message may take 5.
 */
const MAX_DRAIN_MS = 8 * 60_000;

/** The tenant that a drain sends for. */
export interface DrainContext {
  tenant: string;
  settings: Settings;
  keys: SealingKeys;
  options: Pick<SmtpSessionOptions, "clientName" | "allowPrivateHosts">;
  tokens: TokenCache;
}

/** Sends the mails of an outbox that are due, over connections that it reuses, and closes at its end. */
export class Drain {
  readonly #store: MailStore;
  readonly #context: DrainContext;
  readonly #startedAt = Date.now();
  readonly #connections = new Set<Promise<void>>();
  readonly #sessions = new Set<SmtpSession>();
  readonly #errors: unknown[] = [];
  #maxConnections = MAX_CONNECTIONS;
  #startedMails = 0;
  #isStopped = false;

  constructor(store: MailStore, context: DrainContext) {
    this.#store = store;
    this.#context = context;
  }

  /**
   * Ends once no mail is due, the outbox pauses, or a limit is reached.
   *
   * @throws what the store throws, after all connections are closed
   */
  async run(): Promise<void> {
    this.#connect();
    while (this.#connections.size > 0) await Promise.all(this.#connections);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /** Starts another connection for mails that are due, so that a slow reply does not delay them. */
  wake(): void {
    // Not before the first one is open: two attempts with a wrong password lock an account sooner.
    if (this.#connections.size < this.#maxConnections && this.#hasOpenSession && this.#maySend())
      this.#connect();
  }

  /** Starts no further mail, and pauses nothing: the settings have changed. */
  stop(): void {
    this.#isStopped = true;
  }

  #connect(): void {
    const connection = this.#sendOverOneConnection()
      .catch((error) => {
        this.#isStopped = true;
        this.#errors.push(error);
      })
      .finally(() => this.#connections.delete(connection));
    this.#connections.add(connection);
  }

  async #sendOverOneConnection(): Promise<void> {
    let session: SmtpSession | undefined;
    let mails = 0;
    try {
      while (this.#maySend()) {
        if (session === undefined || !session.isOpen || mails >= MAX_MAILS_PER_CONNECTION) {
          this.#close(session);
          mails = 0;
          session = await this.#open();
          if (session === undefined) return;
        }
        // The other connection may have sent the mail meanwhile.
        const mail = this.#maySend() ? this.#store.claim(Date.now()) : undefined;
        if (mail === undefined) return;
        try {
          this.#startedMails++;
          this.wake();
          await this.#send(session, mail, { isReused: mails > 0 });
          mails++;
        } finally {
          this.#store.release(mail.id);
        }
      }
    } finally {
      this.#close(session);
    }
  }

  #maySend(): boolean {
    const now = Date.now();
    if (this.#isStopped || now > this.#startedAt + MAX_DRAIN_MS) return false;
    if (this.#startedMails >= MAX_MAILS_PER_DRAIN) return false;
    return (this.#store.nextDueAt() ?? Number.POSITIVE_INFINITY) <= now;
  }

  get #hasOpenSession(): boolean {
    return [...this.#sessions].some(({ isOpen }) => isOpen);
  }

  #close(session: SmtpSession | undefined): void {
    if (session === undefined) return;
    session.close();
    this.#sessions.delete(session);
  }

  async #open(): Promise<SmtpSession | undefined> {
    const { settings, options, tokens } = this.#context;
    const tokenSettings = tokenSettingsOf(settings);
    const session = new SmtpSession(settings, {
      ...{ ...options, timeouts: DELIVERY_TIMEOUTS, pipelining: true },
      ...(tokenSettings === undefined
        ? {}
        : { accessToken: (rejected) => tokens.get(tokenSettings, rejected) }),
    });
    const opened = await session.open();
    if (opened.ok) {
      this.#sessions.add(session);
      return session;
    }
    const { failure } = opened;
    const report = reportOf(failure, settings);
    // While the other connection works, the server is well: some allow only one at a time.
    if (this.#hasOpenSession) this.#maxConnections = 1;
    else this.#pause(decideUnopened(failure, this.#serverFailures, Date.now()), failure, report);
    return undefined;
  }

  /** @param isReused whether the connection has carried another mail */
  async #send(session: SmtpSession, mail: ClaimedMail, { isReused }: { isReused: boolean }): Promise<void> {
    const attempt: Attempt = { mail, startedAt: Date.now(), contentSent: false };
    const messageId = mail.message_id ?? messageIdFor(mail.id, this.#context.settings);
    let content: Mail;
    let message: Message;
    try {
      content = await this.#contentOf(mail);
      message = composeMessage(this.#context.settings, { ...content, messageId });
    } catch (error) {
      return this.#giveUp(attempt, error);
    }
    let result: SmtpResult;
    try {
      const onMessage = () => {
        this.#store.markSending(mail.id, messageId, Date.now());
        attempt.contentSent = true;
      };
      result = await session.send(message, { onMessage });
    } catch (error) {
      this.#close(session);
      return this.#giveUp(attempt, error);
    }
    if (result.ok) {
      this.#store.finish(mail, "sent", {}, Date.now());
      this.#resume();
      return this.#log(attempt, { state: "sent", stage: "message" });
    }
    const { failure } = result;
    // The mail is still due: the next connection carries it.
    if (isReused && !attempt.contentSent && endedBetweenMails(failure)) return;
    this.#handle(attempt, failure, content.to);
  }

  /** @throws {SealingError} */
  async #contentOf({ content }: ClaimedMail): Promise<Mail> {
    const { tenant, keys } = this.#context;
    const { claims, kid } = await open<{ mail?: Mail }>(tenant, content, keys);
    if (claims.mail === undefined) throw new SealingError("holds no mail", kid);
    return claims.mail;
  }

  /** Decides on a mail that a fault of ours keeps from being sent. It does not stop the others. */
  #giveUp(attempt: Attempt, error: unknown): void {
    const { mail, contentSent } = attempt;
    const attempted = attemptedMail(mail);
    if (error instanceof SealingError) {
      const { kid, message: reason } = error;
      // An operator may add the key again before the mail expires.
      const decision = retry(attempted, Date.now());
      this.#apply(attempt, decision, UNREADABLE);
      this.#log(attempt, { state: stateAfter(decision), kid, reason }, console.error);
      return;
    }
    const decision = contentSent ? decideDoubtful(attempted, Date.now()) : retry(attempted, Date.now());
    this.#apply(attempt, decision, UNEXPECTED);
    const exception = error instanceof Error ? error.name : typeof error;
    this.#log(attempt, { state: stateAfter(decision), reason: "unexpected error", exception }, console.error);
  }

  #handle(attempt: Attempt, failure: SmtpFailure, recipient: string): void {
    const { mail, contentSent } = attempt;
    const { stage, kind, reply } = failure;
    const { settings } = this.#context;
    const report = reportOf(failure, settings, recipient);
    const decision = decide(
      {
        ...{ failure, contentSent, mail: attemptedMail(mail) },
        ...{ authenticated: authenticates(settings), serverFailures: this.#serverFailures },
      },
      Date.now(),
    );
    const smtpCode = reply === undefined ? undefined : parseReply(reply).code;
    this.#log(attempt, { state: stateAfter(decision), stage, failure: kind, smtpCode });
    if (decision.action === "pause") {
      this.#pause(decision, failure, report);
      // Behind the others, in case this mail is what the server cannot bear.
      this.#store.postpone(mail, Math.max(Date.now(), this.#store.pause?.until ?? 0));
      return;
    }
    // The server replied to this mail, so it works.
    if (kind === "reply") this.#resume();
    this.#apply(attempt, decision, report);
  }

  #apply({ mail }: Attempt, decision: MailDecision, report: FailureReport): void {
    const now = Date.now();
    const attempts = mail.attempts + 1;
    if (decision.action === "retry") {
      const { at, doubts } = decision;
      this.#store.requeue(mail.id, { at, attempts, doubts, failure: report }, now);
    } else {
      const failure = decision.mayHaveArrived ? mayHaveArrived(report) : report;
      this.#store.finish(mail, "failed", { attempts, failure }, now);
    }
  }

  #pause(decision: PauseDecision, failure: SmtpFailure, report: FailureReport): void {
    // The other connection has paused the outbox already, or this failure is one of previous settings.
    if (this.#isStopped) return;
    this.#isStopped = true;
    const { waitingFor, until, failures } = decision;
    this.#store.pause = { waitingFor, until, failures, failure: report };
    const { stage, smtpCode } = report;
    const [tenant, seconds] = [this.#context.tenant, Math.round((until - Date.now()) / 1000)];
    console.warn(
      JSON.stringify({
        ...{ message: "outbox paused", tenant, waitingFor, seconds, failures },
        ...{ stage, failure: failure.kind, smtpCode },
      }),
    );
  }

  /** Ends a pause, unless the other connection has just begun one. */
  #resume(): void {
    if (!this.#isStopped) this.#store.pause = undefined;
  }

  get #serverFailures(): number {
    return this.#store.pause?.failures ?? 0;
  }

  /** One line per attempt: never recipient, subject or body. */
  #log({ mail, startedAt }: Attempt, details: LogDetails, write = console.info): void {
    const { tenant } = this.#context;
    const milliseconds = Date.now() - startedAt;
    write(
      JSON.stringify({
        ...{ message: "delivery", tenant, id: mail.id, attempt: mail.attempts + 1 },
        ...details,
        milliseconds,
      }),
    );
  }
}

interface Attempt {
  mail: ClaimedMail;
  startedAt: number;
  /** Whether the content has left, so that the mail may have arrived. */
  contentSent: boolean;
}

interface LogDetails {
  /** State of the mail after the attempt. */
  state: string;
  stage?: string;
  failure?: string;
  smtpCode?: number | undefined;
  kid?: string | undefined;
  reason?: string;
  exception?: string;
}

function attemptedMail({ attempts, doubts, expires_at }: ClaimedMail) {
  return { attempts: attempts + 1, doubts, expiresAt: expires_at };
}

/** Whether a server ended a connection between two mails, as many do after some number: it is not ill. */
function endedBetweenMails({ kind, stage, reply }: SmtpFailure): boolean {
  return stage === "sender" && (kind === "closed" || (reply?.startsWith("421") ?? false));
}

function stateAfter({ action }: PauseDecision | MailDecision): "queued" | "failed" {
  return action === "fail" ? "failed" : "queued";
}
