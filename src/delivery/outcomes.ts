import { log } from "../log.ts";
import type { Settings } from "../settings/schema.ts";
import type { Classification, Worked } from "../smtp/replies/classify.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure } from "../smtp/result.ts";
import { SealingError } from "../storage/sealing.ts";
import type { Examined } from "./examine.ts";
import { type ClaimedMail, toAttempted } from "./mail-row.ts";
import type { MailStore } from "./mail-store.ts";
import type { OutboxState } from "./outbox-state.ts";
import { type FailedTry, nextTryAt, ownFailure, pauseAfter, URGENT_MAX_LIFETIME_MS } from "./pause.ts";
import { type FailureReport, TOO_MANY_LOGINS, UNEXPECTED, UNREADABLE } from "./report.ts";
import {
  type AttemptedConnection,
  type AttemptedMessage,
  type Decision,
  decideDeferred,
  decideRefused,
  decideUnknown,
  type Outcome,
  outcomeOf,
  pauseKindOf,
  retry,
  type Scope,
  scopeOf,
} from "./retry-policy.ts";
import type { MailContent } from "./sealed-mail.ts";

/** Failed tries of a login that has worked before, after which its password is presumed wrong. */
const MAX_LOGIN_TRIES = 2;

/** A message on its way, since it was claimed. */
export interface Attempt {
  mail: ClaimedMail;
  /** Whether this is a try of the pause. */
  isOwnTry: boolean;
  startedAt: number;
  /** Whether the content has left, so that the message may have arrived. */
  contentLeft: boolean;
}

/** The connection of a failed attempt. */
interface FailedConnection extends Omit<AttemptedConnection, "contentLeft"> {
  /** Ids of the messages that it has refused since its last acceptance. */
  refused: Set<string>;
}

/** Records how attempts end, and decides what follows: for one message, or for the outbox. */
export class Outcomes {
  readonly #store: MailStore;
  readonly #state: OutboxState;
  readonly #context: { tenant: string; settings: Settings };
  #isStopped = false;

  /** @param context the tenant, and the settings that the attempts use */
  constructor(store: MailStore, state: OutboxState, context: { tenant: string; settings: Settings }) {
    this.#store = store;
    this.#state = state;
    this.#context = context;
  }

  /** Draws no more conclusions: the settings have changed. */
  stop(): void {
    this.#isStopped = true;
  }

  /** Records that a session has logged in. */
  loggedIn(): void {
    if (this.#isStopped) return;
    this.#state.record({ loggedInAt: this.#state.tick(Date.now()) });
    const kind = this.#state.pause?.kind;
    if (kind === "login" || kind === "logins" || kind === "login_limit")
      this.#resume({ showsAcceptance: false });
  }

  /** Pauses until another login may be tried. */
  loginLimited(until: number): void {
    if (this.#isStopped) return;
    const now = Date.now();
    const pause = { ...pauseAfter(undefined, ownFailure("login_limit", TOO_MANY_LOGINS, now), now), until };
    this.#state.pause = pause;
    const { kind, waitingFor } = pause;
    const seconds = Math.round((until - now) / 1000);
    log("warn", "outbox paused", { tenant: this.#context.tenant, kind, waitingFor, seconds, failures: 1 });
  }

  /**
   * Records that the server has accepted a message.
   *
   * @param refused messages that the same connection has refused; it is emptied
   */
  accepted(attempt: Attempt, refused: Set<string>): void {
    const { mail } = attempt;
    this.#store.finish(mail, "sent", { attempts: mail.attempts + 1 }, Date.now());
    this.#log(attempt, { state: "sent", stage: "message" });
    if (this.#isStopped) return;
    const tick = this.#state.tick(Date.now());
    this.#state.record({ senderAcceptedAt: tick, messageAcceptedAt: tick });
    this.#state.endStreaks();
    this.#store.markOthersAccepted([...refused]);
    refused.clear();
    this.#resume({ showsAcceptance: true });
  }

  /**
   * Records a failure, and draws the conclusions: by its scope, then by what it means.
   *
   * @param content of the message, if it was being sent
   * @returns the scope
   */
  async failed(
    attempt: Attempt,
    failure: SmtpFailure,
    content: MailContent | undefined,
    connection: FailedConnection,
  ): Promise<Scope> {
    const { mail, contentLeft } = attempt;
    // Loaded on demand: most runs send everything.
    const { examine, reportOfOthers } = await import("./examine.ts");
    const context = { settings: this.#context.settings, worked: this.#workedBefore(mail) };
    const { classification, report } = examine(failure, context, content);
    const scope = scopeOf(failure, classification, { ...connection, contentLeft });
    if (failure.steps.some(({ stage }) => stage === "sender")) this.#senderAccepted();
    let state: "queued" | "failed" = "queued";
    if (scope === "message") {
      const examined = { classification, report, ofOthers: reportOfOthers({ classification, report }) };
      state = this.#settle(attempt, failure, examined, connection.refused);
    } else {
      this.#store.unmarkSending(mail.id);
      if (classification.subject === "logins") this.#state.spareLogins(Date.now());
      if (scope === "session") this.#sessionFailed(attempt, failure, classification, report);
    }
    const { kind, stage, reply } = failure;
    const { cause, subject } = classification;
    const smtpCode = reply === undefined ? undefined : parseReply(reply).code;
    this.#log(attempt, { state, stage, failure: kind, smtpCode, scope, cause, subject });
    return scope;
  }

  #workedBefore({ others_accepted }: ClaimedMail): Worked {
    const { loggedInAt, senderAcceptedAt, messageAcceptedAt } = this.#state.evidence;
    const { pause } = this.#state;
    const isPresumedWrong = pause?.kind === "login" && pause.tries >= MAX_LOGIN_TRIES;
    return {
      login: loggedInAt !== undefined && !isPresumedWrong,
      sender: senderAcceptedAt !== undefined,
      message: messageAcceptedAt !== undefined,
      others: others_accepted === 1,
    };
  }

  #senderAccepted(): void {
    if (!this.#isStopped) this.#state.record({ senderAcceptedAt: this.#state.tick(Date.now()) });
  }

  #sessionFailed(
    attempt: Attempt,
    failure: SmtpFailure,
    classification: Classification,
    report: FailureReport,
  ): void {
    this.#store.markTried(attempt.mail.id, Date.now());
    const kind = pauseKindOf(failure, classification);
    const reason = this.#reason(classification, report);
    const { isOwnTry: isOwn, startedAt } = attempt;
    this.#pause(attempt, { ...reason, kind, isOfSession: true, isOwn, startedAt });
  }

  /**
   * Decides on one message. It stops no other, unless several in a row have ended alike.
   *
   * @returns its state
   */
  #settle(
    attempt: Attempt,
    failure: SmtpFailure,
    { classification, report, ofOthers }: Examined & { ofOthers: FailureReport },
    refused: Set<string>,
  ): "queued" | "failed" {
    const { mail, isOwnTry } = attempt;
    const outcome = outcomeOf(failure);
    // With other settings, the server may decide otherwise.
    if (this.#isStopped && outcome !== "unknown" && !classification.isFinal) {
      this.#store.unmarkSending(mail.id);
      return "queued";
    }
    const { pause } = this.#state;
    const decision = this.#decide(outcome, toAttempted(mail), classification, pause === undefined);
    const state = this.#store.settle(mail, decision, report, Date.now());
    if (outcome === "refused" && state === "queued") refused.add(mail.id);
    const isCounted = state === "queued" && !(outcome === "deferred" && mail.deferrals === 0);
    if (pause !== undefined && classification.isFinal) {
      // It says nothing about the server, so the reason of the pause stays.
      this.#pause(attempt, { ...pause, isOwn: isOwnTry, startedAt: pause.since });
    } else if (
      pause !== undefined ||
      (isCounted && !this.#isStopped && this.#state.countInARow(outcome, mail.id))
    ) {
      const reason = this.#reason(classification, ofOthers);
      const isOfSession = false;
      this.#pause(attempt, {
        ...reason,
        kind: "delivery",
        isOfSession,
        isOwn: isOwnTry,
        startedAt: Date.now(),
      });
    }
    return state;
  }

  #decide(
    outcome: Outcome,
    message: AttemptedMessage,
    classification: Classification,
    takesStep: boolean,
  ): Decision {
    const moment = this.#state.moment(Date.now());
    switch (outcome) {
      case "unknown":
        return decideUnknown(message, moment);
      case "deferred":
        return decideDeferred(message, moment, takesStep);
      case "refused":
        return decideRefused(message, classification, moment, takesStep);
    }
  }

  /** Records a fault of ours that kept a message from being sent. It does not stop the others. */
  gaveUp(attempt: Attempt, error: unknown): void {
    const { mail, contentLeft, isOwnTry: isOwn } = attempt;
    const now = Date.now();
    const { pause } = this.#state;
    // It was a try of the pause, although it says nothing about the server.
    if (pause !== undefined) this.#pause(attempt, { ...pause, isOwn, startedAt: pause.since });
    if (error instanceof SealingError) {
      const { kid, message: reason } = error;
      // An operator may add the key again before the message expires.
      this.#store.settle(mail, retry(toAttempted(mail), now), UNREADABLE, now);
      this.#log(attempt, { state: "queued", kid, reason }, "error");
      return;
    }
    const decision = contentLeft
      ? decideUnknown(toAttempted(mail), this.#state.moment(now))
      : retry(toAttempted(mail), now);
    const state = this.#store.settle(mail, decision, UNEXPECTED, now);
    const exception = error instanceof Error ? error.name : typeof error;
    this.#log(attempt, { state, reason: "unexpected error", exception }, "error");
  }

  #reason(
    { cause }: Classification,
    failure: FailureReport,
  ): Pick<FailedTry, "waitingFor" | "failure" | "loginWorked"> {
    const waitingFor = cause === "settings" ? "settings" : "server";
    return { waitingFor, failure, loginWorked: this.#state.evidence.loggedInAt !== undefined };
  }

  /** Begins a pause, or goes on with it. */
  #pause({ mail }: Attempt, failed: FailedTry): void {
    if (this.#isStopped) return;
    const now = Date.now();
    const previous = this.#state.pause;
    const pause = pauseAfter(previous, failed, now);
    this.#state.pause = pause;
    if (previous?.kind === pause.kind && !failed.isOwn) return;
    const { waitingFor, tries, failure } = pause;
    const hasUrgent = mail.lifetime_ms <= URGENT_MAX_LIFETIME_MS || this.#store.waiting(pause).urgent;
    log("warn", "outbox paused", {
      tenant: this.#context.tenant,
      kind: pause.kind,
      waitingFor,
      seconds: Math.round((nextTryAt(pause, hasUrgent) - now) / 1000),
      failures: tries + 1,
      stage: failure.stage,
      smtpCode: failure.smtpCode,
    });
  }

  /** Ends a pause: what waited is due. */
  #resume({ showsAcceptance }: { showsAcceptance: boolean }): void {
    if (this.#state.pause === undefined) return;
    this.#store.expire(Date.now());
    this.#state.pause = undefined;
    this.#store.endWait(Date.now(), { showsAcceptance });
    log("info", "outbox resumed", { tenant: this.#context.tenant });
  }

  /** One line per attempt: never recipient, subject or body. */
  #log({ mail, startedAt }: Attempt, details: object, level: "info" | "error" = "info"): void {
    const { tenant } = this.#context;
    const milliseconds = Date.now() - startedAt;
    const attempt = mail.attempts + 1;
    log(level, "delivery", { tenant, id: mail.id, attempt, ...details, milliseconds });
  }
}
