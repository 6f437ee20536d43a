import { composeMessage, messageIdFor } from "../mail/message.ts";
import type { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { tokenSettingsOf } from "../settings/token-settings.ts";
import { DELIVERY_TIMEOUTS } from "../smtp/limits.ts";
import { parseReply } from "../smtp/reply.ts";
import type { SmtpFailure, SmtpResult } from "../smtp/result.ts";
import { SmtpSession, type SmtpSessionOptions } from "../smtp/session.ts";
import { open, type SealingKeys } from "../storage/sealing.ts";
import { mayHaveArrived, reportOf } from "./report.ts";
import { type Decision, decide } from "./retry-policy.ts";
import type { Mail } from "./schema.ts";
import type { DueMail, MailStore } from "./store.ts";

/** Connections of one drain. Providers limit them: Microsoft 365 allows three. */
const MAX_CONNECTIONS = 2;

/** Mails per connection. Providers limit them as well. */
const MAX_MAILS_PER_CONNECTION = 100;

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
  readonly #claimed: Set<string>;
  readonly #context: DrainContext;
  readonly #startedAt = Date.now();
  #stopped = false;

  /** @param claimed shows which mails are being sent */
  constructor(store: MailStore, claimed: Set<string>, context: DrainContext) {
    this.#store = store;
    this.#claimed = claimed;
    this.#context = context;
  }

  /** Ends once no mail is due, the outbox pauses, or the time is over. */
  async run(): Promise<void> {
    // The second connection waits for the first: two attempts with a wrong password lock an account sooner.
    const others: Promise<void>[] = [];
    await this.#sendOverOneConnection(() => {
      while (others.length < MAX_CONNECTIONS - 1) others.push(this.#sendOverOneConnection(() => {}));
    });
    await Promise.all(others);
  }

  async #sendOverOneConnection(onFirstOpen: () => void): Promise<void> {
    let session: SmtpSession | undefined;
    let mails = 0;
    try {
      for (let mail = this.#claim(); mail !== undefined; mail = this.#claim()) {
        try {
          if (session === undefined || !session.isOpen || mails >= MAX_MAILS_PER_CONNECTION) {
            session?.close();
            mails = 0;
            session = await this.#open(mail);
            if (session === undefined) return;
            onFirstOpen();
          }
          await this.#send(session, mail, mails > 0);
          mails++;
        } finally {
          this.#claimed.delete(mail.id);
        }
      }
    } finally {
      session?.close();
    }
  }

  #claim(): DueMail | undefined {
    const now = Date.now();
    if (this.#stopped || now > this.#startedAt + MAX_DRAIN_MS) return undefined;
    this.#store.expire(now, this.#claimed);
    const mail = this.#store.nextDue(now, this.#claimed);
    if (mail !== undefined) this.#claimed.add(mail.id);
    return mail;
  }

  async #open(mail: DueMail): Promise<SmtpSession | undefined> {
    const { settings, options, tokens } = this.#context;
    const tokenSettings = tokenSettingsOf(settings);
    const startedAt = Date.now();
    const session = new SmtpSession(settings, {
      ...options,
      timeouts: DELIVERY_TIMEOUTS,
      ...(tokenSettings === undefined
        ? {}
        : { accessToken: (rejected) => tokens.get(tokenSettings, rejected) }),
    });
    const opened = await session.open();
    if (opened.ok) return session;
    const content = await this.#contentOf(mail);
    this.#handle(mail, content?.to ?? "", opened.failure, { messageSent: false, startedAt });
    return undefined;
  }

  /** @param isReused whether the connection has carried another mail */
  async #send(session: SmtpSession, mail: DueMail, isReused: boolean): Promise<void> {
    const { settings } = this.#context;
    const startedAt = Date.now();
    const content = await this.#contentOf(mail);
    if (content === undefined) return;
    const messageId = mail.message_id ?? messageIdFor(mail.id, settings);
    const message = await composeMessage(settings, { ...content, messageId });
    let messageSent = false;
    const result: SmtpResult = await session.send(message, {
      onMessage: () => {
        this.#store.markSending(mail.id, messageId, Date.now());
        messageSent = true;
      },
    });
    if (result.ok) {
      this.#store.finish(mail.id, "sent", {}, Date.now());
      if (this.#store.pause !== undefined) this.#store.pause = undefined;
      this.#log(mail, { state: "sent", attempt: mail.attempts + 1, startedAt });
      return;
    }
    const { failure } = result;
    // The mail is still due: the next connection carries it.
    if (isReused && !messageSent && endedBetweenMails(failure)) return;
    this.#handle(mail, content.to, failure, { messageSent, startedAt });
  }

  /** Opens a mail's content. A mail that does not open fails by itself, and does not stop the others. */
  async #contentOf(mail: DueMail): Promise<Mail | undefined> {
    const { tenant, keys } = this.#context;
    try {
      return (await open<{ mail: Mail }>(tenant, mail.content, keys)).claims.mail;
    } catch {
      const failure = {
        message: "The stored mail does not open.",
        stage: "message",
        hint: "Ask the operator of Tenant Mail: a settings key is missing.",
      } as const;
      this.#store.finish(mail.id, "failed", { failure }, Date.now());
      this.#log(mail, { state: "failed", attempt: mail.attempts, reason: "the stored mail does not open" });
      return undefined;
    }
  }

  #handle(
    mail: DueMail,
    to: string,
    failure: SmtpFailure,
    { messageSent, startedAt }: { messageSent: boolean; startedAt: number },
  ): void {
    const { settings } = this.#context;
    const now = Date.now();
    const report = reportOf(failure, settings, to);
    const decision = decide(
      {
        failure,
        messageSent,
        mail: { attempts: mail.attempts + 1, doubts: mail.doubts, expiresAt: mail.expires_at },
        serverFailures: this.#store.pause?.waitingFor === "server" ? this.#store.pause.failures : 0,
      },
      now,
    );
    const smtpCode = failure.reply === undefined ? undefined : parseReply(failure.reply).code;
    this.#log(mail, {
      ...{ state: stateAfter(decision), attempt: mail.attempts + 1, startedAt },
      ...{ stage: failure.stage, failure: failure.kind, smtpCode },
    });
    const attempts = mail.attempts + 1;
    switch (decision.action) {
      case "pause": {
        const { waitingFor, until, failures } = decision;
        this.#stopped = true;
        this.#store.pause = { waitingFor, until, failures, failure: report };
        // Behind the others, in case this mail is what the server cannot bear.
        if (failure.stage !== "connect") this.#store.postpone(mail, until + 1);
        return;
      }
      case "retry":
        this.#store.requeue(
          mail.id,
          { at: decision.at, attempts, doubts: decision.doubts, failure: report },
          now,
        );
        return;
      case "fail": {
        const last = decision.mayHaveArrived ? mayHaveArrived(report) : report;
        this.#store.finish(mail.id, "failed", { attempts, failure: last }, now);
      }
    }
  }

  #log(mail: DueMail, { startedAt, ...details }: LogDetails): void {
    const { tenant } = this.#context;
    const milliseconds = startedAt === undefined ? undefined : Date.now() - startedAt;
    console.info(JSON.stringify({ message: "delivery", tenant, id: mail.id, ...details, milliseconds }));
  }
}

/** What the log says of an attempt: never recipient, subject or body. */
interface LogDetails {
  state: string;
  attempt: number;
  startedAt?: number;
  stage?: string;
  failure?: string;
  smtpCode?: number | undefined;
  reason?: string;
}

/** Whether a server ended a connection between two mails, as many do after some number: it is not ill. */
function endedBetweenMails({ kind, stage, reply }: SmtpFailure): boolean {
  return stage === "sender" && (kind === "closed" || (reply?.startsWith("421") ?? false));
}

function stateAfter(decision: Decision): string {
  if (decision.action === "pause") return `paused: ${decision.waitingFor}`;
  return decision.action === "retry" ? "queued" : "failed";
}
