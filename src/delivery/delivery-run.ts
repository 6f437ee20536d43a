import { composeMessage, type Message, messageIdFor } from "../mail/message.ts";
import type { TokenCache } from "../oauth/token-cache.ts";
import type { Settings } from "../settings/schema.ts";
import { tokenSettingsOf } from "../settings/token-settings.ts";
import type { SmtpFailure, SmtpResult } from "../smtp/result.ts";
import { SmtpSession, type SmtpSessionOptions } from "../smtp/session.ts";
import { authenticates } from "../smtp/smtp-settings.ts";
import { DELIVERY_TIMEOUTS } from "../smtp/timeouts.ts";
import type { SealingKeys } from "../storage/sealing.ts";
import { loginOutcomeOf } from "./login-limit.ts";
import type { MailStore } from "./mail-store.ts";
import { nextAttemptAt } from "./next-attempt.ts";
import type { OutboxState } from "./outbox-state.ts";
import { type Attempt, Outcomes } from "./outcomes.ts";
import { type Selection, selectionsFor } from "./pause.ts";
import { type MailContent, openMail } from "./sealed-mail.ts";

/** Connections of one run. Providers limit them: Microsoft 365 allows three. */
export const MAX_CONNECTIONS = 2;

/** Messages per connection. Providers limit them as well. */
const MAX_MESSAGES_PER_CONNECTION = 100;

/** Messages per run: an alarm has 30 seconds of CPU, and the largest message takes 60 ms of it. */
const MAX_MESSAGES_PER_RUN = MAX_CONNECTIONS * MAX_MESSAGES_PER_CONNECTION;

/**
 * When a run starts no further message, in milliseconds. An alarm may run for 15 minutes, and the reply to a message
 * may take 5.
 */
const MAX_RUN_MS = 8 * 60_000;

/** How long an idle connection stays open while logins are scarce, in milliseconds. Cloudflare bills the time. */
const IDLE_MS = 15_000;

/** The tenant that a run sends for. */
interface DeliveryContext {
  tenant: string;
  settings: Settings;
  /** Of what decides about a login with them, by each settings key. */
  fingerprints: readonly string[];
  keys: SealingKeys;
  options: Pick<SmtpSessionOptions, "clientName" | "allowPrivateHosts" | "hostExists">;
  tokens: TokenCache;
}

/** Sends the messages of an outbox that are due, over connections that it reuses, and closes at its end. */
export class DeliveryRun {
  readonly #store: MailStore;
  readonly #state: OutboxState;
  readonly #context: DeliveryContext;
  readonly #outcomes: Outcomes;
  readonly #startedAt = Date.now();
  readonly #loops = new Set<Promise<void>>();
  readonly #connections = new Set<Connection>();
  readonly #errors: unknown[] = [];
  #maxConnections = MAX_CONNECTIONS;
  #openedConnections = 0;
  #startedMessages = 0;
  #isStopped = false;
  /** Whether a try of the pause is under way. */
  #isTrying = false;
  /** Ends the wait of an idle connection. */
  #endIdle: (() => void) | undefined;

  constructor(store: MailStore, state: OutboxState, context: DeliveryContext) {
    this.#store = store;
    this.#state = state;
    this.#context = context;
    this.#outcomes = new Outcomes(store, state, context);
  }

  /**
   * Ends once nothing may be sent for now, or a limit is reached.
   *
   * @throws what the store throws, after all connections are closed
   */
  async run(): Promise<void> {
    this.#start();
    while (this.#loops.size > 0) await Promise.all(this.#loops);
    if (this.#errors.length > 0) throw this.#errors[0];
  }

  /** Starts another connection for messages that are due, so that a slow reply does not delay them. */
  wake(): void {
    if (this.#endIdle !== undefined) {
      // Reads of a state come here, too.
      if (this.#maySend()) this.#endIdle();
      return;
    }
    // Not before the first one is open: two attempts with a wrong password lock an account sooner.
    if (this.#loops.size < this.#maxConnections && this.#hasOpenConnection && this.#maySend()) this.#start();
  }

  /** Starts no further message, and draws no conclusions from those under way: the settings have changed. */
  stop(): void {
    this.#isStopped = true;
    this.#outcomes.stop();
    this.#endIdle?.();
  }

  #start(): void {
    const loop = this.#sendOverOneConnection()
      .catch((error) => {
        this.#isStopped = true;
        this.#errors.push(error);
      })
      .finally(() => this.#loops.delete(loop));
    this.#loops.add(loop);
  }

  async #sendOverOneConnection(): Promise<void> {
    let connection: Connection | undefined;
    try {
      for (;;) {
        const attempt = this.#claim();
        if (attempt === undefined) {
          if (connection !== undefined && (await this.#waitIdle(connection))) continue;
          return;
        }
        try {
          for (let next: Next = "again"; next === "again"; ) {
            connection = await this.#usable(connection, attempt);
            if (connection === undefined) return;
            this.wake();
            next = this.#store.start(attempt.mail.id) ? await this.#send(connection, attempt) : "next";
            if (next === "end") return;
          }
        } finally {
          if (attempt.isOwnTry) this.#isTrying = false;
          this.#store.release(attempt.mail.id);
        }
      }
    } finally {
      if (connection !== undefined) await this.#close(connection);
    }
  }

  #claim(): Attempt | undefined {
    if (this.#isOver) return undefined;
    const now = Date.now();
    const { pause } = this.#state;
    const selections: Selection[] =
      pause === undefined ? [{ kind: "due" }] : selectionsFor(pause, this.#store.waiting(pause), now);
    for (const selection of selections) {
      // In a pause that waits for a login, every try is one.
      const isOwnTry = selection.kind === "any" || (pause !== undefined && pause.kind !== "delivery");
      const mail = isOwnTry && this.#isTrying ? undefined : this.#store.claim(selection, now);
      if (mail === undefined) continue;
      this.#startedMessages++;
      this.#isTrying ||= isOwnTry;
      return { mail, isOwnTry, startedAt: now, contentLeft: false };
    }
    return undefined;
  }

  #maySend(): boolean {
    return !this.#isOver && (nextAttemptAt(this.#store, this.#state) ?? Infinity) <= Date.now();
  }

  /** Whether the run starts no further message. */
  get #isOver(): boolean {
    if (this.#isStopped || Date.now() > this.#startedAt + MAX_RUN_MS) return true;
    return this.#startedMessages >= MAX_MESSAGES_PER_RUN;
  }

  get #hasOpenConnection(): boolean {
    return [...this.#connections].some(({ session }) => session.isOpen);
  }

  /** The numbers of the other connections that are open. */
  #othersOpen(connection: Connection): number[] {
    const others = [...this.#connections].filter((other) => other !== connection && other.session.isOpen);
    return others.map(({ number }) => number);
  }

  /** The connection, or a new one if it cannot carry another message. */
  async #usable(connection: Connection | undefined, attempt: Attempt): Promise<Connection | undefined> {
    if (connection?.session.isOpen && connection.carried < MAX_MESSAGES_PER_CONNECTION) return connection;
    if (connection !== undefined) await this.#close(connection);
    return this.#open(attempt);
  }

  async #close(connection: Connection): Promise<void> {
    this.#connections.delete(connection);
    await connection.session.close();
  }

  async #open(attempt: Attempt): Promise<Connection | undefined> {
    const { settings, fingerprints, options, tokens } = this.#context;
    const { logins } = this.#state;
    const login = authenticates(settings) ? logins.begin(fingerprints, Date.now()) : undefined;
    if (login?.kind === "limited") {
      this.#outcomes.loginLimited(login.until);
      return undefined;
    }
    const tokenSettings = tokenSettingsOf(settings);
    const session = new SmtpSession(settings, {
      ...options,
      timeouts: DELIVERY_TIMEOUTS,
      pipelining: true,
      ...(tokenSettings && { accessToken: (rejected?: string) => tokens.get(tokenSettings, rejected) }),
    });
    const connection: Connection = {
      session,
      number: ++this.#openedConnections,
      carried: 0,
      refused: new Set(),
    };
    const opened = await session.open();
    if (login?.kind === "counted") logins.end(fingerprints, login.at, loginOutcomeOf(opened));
    if (opened.ok) {
      this.#connections.add(connection);
      if (authenticates(settings)) this.#outcomes.loggedIn();
      return connection;
    }
    await this.#failed(connection, attempt, opened.failure, undefined);
    return undefined;
  }

  async #send(connection: Connection, attempt: Attempt): Promise<Next> {
    const { mail } = attempt;
    const { session, refused } = connection;
    attempt.contentLeft = false;
    const { tenant, settings, keys } = this.#context;
    const messageId = mail.message_id ?? messageIdFor(mail.id, settings);
    let content: MailContent;
    let message: Message;
    try {
      content = await openMail(tenant, mail.content, keys);
      message = composeMessage(settings, { ...content, messageId, date: new Date(mail.created_at) });
    } catch (error) {
      this.#outcomes.gaveUp(attempt, error);
      return "next";
    }
    let result: SmtpResult;
    try {
      const onMessage = () => {
        this.#store.markSending(mail.id, messageId, Date.now());
        attempt.contentLeft = true;
      };
      result = await session.send(message, { onMessage });
    } catch (error) {
      await this.#close(connection);
      this.#outcomes.gaveUp(attempt, error);
      return "next";
    }
    if (!result.ok) return this.#failed(connection, attempt, result.failure, content);
    connection.carried++;
    this.#outcomes.accepted(attempt, refused);
    return "next";
  }

  async #failed(
    connection: Connection,
    attempt: Attempt,
    failure: SmtpFailure,
    content: MailContent | undefined,
  ): Promise<Next> {
    const { number, carried, refused } = connection;
    const others = this.#othersOpen(connection);
    const scope = await this.#outcomes.failed(attempt, failure, content, {
      hasOther: others.length > 0,
      isYounger: others.some((other) => other < number),
      isReused: carried > 0,
      refused,
    });
    connection.carried++;
    if (scope === "message") return "next";
    await this.#close(connection);
    if (scope === "connections") this.#maxConnections = 1;
    const isLate = Date.now() > this.#startedAt + MAX_RUN_MS;
    return scope === "connection" && !this.#isStopped && !isLate ? "again" : "end";
  }

  /**
   * Keeps a connection open for a while in which nothing is due, if logins are scarce.
   *
   * @returns whether something is due again
   */
  async #waitIdle({ session }: Connection): Promise<boolean> {
    const now = Date.now();
    const isLast = this.#loops.size === 1;
    if (!isLast || !session.isOpen || this.#isStopped || !this.#state.isShortOfLogins(now)) return false;
    const dueMs = (nextAttemptAt(this.#store, this.#state) ?? Infinity) - now;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, Math.max(0, Math.min(IDLE_MS, dueMs)));
    this.#endIdle = resolve;
    await promise;
    this.#endIdle = undefined;
    clearTimeout(timer);
    return this.#maySend();
  }
}

/** What follows an attempt: the next message, the same one over a new connection, or the end of the connection. */
type Next = "next" | "again" | "end";

interface Connection {
  session: SmtpSession;
  /** Counts the connections of the run. */
  number: number;
  /** Messages it has carried, accepted or not. */
  carried: number;
  /** Ids of the messages that it has refused since its last acceptance. */
  refused: Set<string>;
}
