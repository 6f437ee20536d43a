import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { vi } from "vitest";
import { restoreClock } from "../support/clock.ts";
import { localSettings } from "../support/local-settings.ts";
import { newOutbox, type TestOutbox } from "../support/outbox.ts";
import { type ControlledServer, startServer } from "./controlled-server.ts";
import { type IdleTimers, takeOverIdleTimers } from "./idle-timers.ts";
import { measure, type RunFigures, type SubmittedMessage } from "./measure.ts";
import { type Action, codesOf, type Pace, type Scenario } from "./scenario.ts";
import { keepSettingsInMemory, type WatchedAlarm, watchAlarm } from "./shortcuts.ts";

const MINUTE_MS = 60_000;

/** Alarms are set for this long after the real time, so none fires before the simulation runs it. */
const START_MS = 60 * MINUTE_MS;

/** Alarms at one time: an outbox that needs more runs in a circle. Each one starts up to 200 messages. */
const MAX_ALARMS_AT_ONCE = 20;

/** Messages with a longer lifetime are not urgent. */
const URGENT_SECONDS = 60 * 60;

const LOGIN = { starttls: false, ssl: true };

const NO_LOGIN = { starttls: false, user: undefined, password: undefined };

const ALL = { application: undefined, state: undefined, tag: undefined, before: undefined, limit: 1_000 };

/**
 * Runs a scenario against a real outbox, in virtual time: submissions, saves and alarms, in the order of their times.
 * The clock stands still while a delivery run is active, so a code that goes out at once waits for 0 s.
 *
 * @param seed of the random numbers
 * @throws {Error} if the outbox logs an error or runs in a circle
 */
export async function simulate(scenario: Scenario, pace: Pace, seed: number): Promise<RunFigures> {
  vi.spyOn(console, "info").mockImplementation(() => {});
  vi.spyOn(console, "warn").mockImplementation(() => {});
  const errors = vi.spyOn(console, "error").mockImplementation(() => {});
  const timers = takeOverIdleTimers();
  keepSettingsInMemory();
  try {
    vi.setSystemTime(Date.now() + START_MS);
    const server = await startServer({ scenario: scenario.id, pace, seed });
    const run = await Run.start(scenario, server, timers);
    await run.play([...codesOf(scenario, pace), ...(scenario.actions?.(pace) ?? [])]);
    if (errors.mock.calls.length > 0) throw new Error(String(errors.mock.calls[0]));
    const figures = measure(scenario, pace, await run.messages(), await server.record());
    await server.close();
    return figures;
  } finally {
    vi.restoreAllMocks();
    restoreClock();
  }
}

/** One run of a scenario. */
class Run {
  readonly #outbox: TestOutbox;
  readonly #settings: Record<string, unknown>;
  readonly #server: ControlledServer;
  readonly #timers: IdleTimers;
  readonly #watched: WatchedAlarm;
  readonly #startedAt = Date.now();
  readonly #submitted = new Map<string, Omit<SubmittedMessage, "state">>();
  /** The alarm under way, if its delivery run keeps a connection open. */
  #alarm: Promise<void> | undefined;
  #alarmsAtOnce = 0;

  private constructor(
    outbox: TestOutbox,
    watched: WatchedAlarm,
    settings: Record<string, unknown>,
    server: ControlledServer,
    timers: IdleTimers,
  ) {
    this.#outbox = outbox;
    this.#watched = watched;
    this.#settings = settings;
    this.#server = server;
    this.#timers = timers;
  }

  static async start({ logsIn }: Scenario, server: ControlledServer, timers: IdleTimers): Promise<Run> {
    const settings = { ...(logsIn ? LOGIN : NO_LOGIN) };
    const outbox = await newOutbox(server, settings);
    return new Run(outbox, await watchAlarm(outbox.stub), settings, server, timers);
  }

  async play(actions: readonly Action[]): Promise<void> {
    const waiting = actions.toSorted((a, b) => a.minute - b.minute);
    for (;;) {
      const action = waiting[0];
      const actionAt = action === undefined ? Number.POSITIVE_INFINITY : this.#timeOf(action);
      const alarmAt = this.#nextAlarmAt();
      if (action !== undefined && actionAt <= alarmAt) {
        waiting.shift();
        this.#setTime(actionAt);
        await this.#perform(action);
        continue;
      }
      if (action === undefined && !(await this.#someWait())) break;
      if (alarmAt === Number.POSITIVE_INFINITY) throw new Error("messages wait without an alarm");
      this.#setTime(alarmAt);
      await this.#runAlarm();
    }
    if (this.#watched.at !== (await this.#outbox.alarmAt())) throw new Error("the alarm was not watched");
  }

  /** All messages, with their final states. */
  async messages(): Promise<SubmittedMessage[]> {
    const states = new Map<string, SubmittedMessage["state"]>();
    for (let before: string | undefined; ; ) {
      const page = await this.#outbox.stub.list({ ...ALL, before });
      for (const { id, state } of page) states.set(id, state);
      before = page.at(-1)?.id;
      if (page.length < ALL.limit) break;
    }
    return [...this.#submitted].map(([id, message]) => ({ ...message, state: states.get(id) ?? "lost" }));
  }

  #timeOf({ minute }: Action): number {
    return this.#startedAt + Math.round(minute * MINUTE_MS);
  }

  /** When the next alarm is due, or the idle connection of the one under way closes. */
  #nextAlarmAt(): number {
    const at = this.#alarm === undefined ? this.#watched.at : this.#timers.nextAt;
    return Math.max(at ?? Number.POSITIVE_INFINITY, Date.now());
  }

  async #someWait(): Promise<boolean> {
    const waiting = await this.#outbox.stub.list({ ...ALL, state: "queued", limit: 1 });
    return waiting.length > 0 || this.#alarm !== undefined;
  }

  #setTime(time: number): void {
    if (time > Date.now()) this.#alarmsAtOnce = 0;
    vi.setSystemTime(time);
  }

  /** Tells the server the time. It needs to know whenever it may be spoken to. */
  async #setServerTime(): Promise<void> {
    const minute = (Date.now() - this.#startedAt) / MINUTE_MS;
    await this.#server.setTime({ minute, keepsConnection: this.#alarm !== undefined });
  }

  async #perform(action: Action): Promise<void> {
    if (this.#alarm !== undefined) await this.#setServerTime();
    if ("save" in action) {
      Object.assign(this.#settings, action.save);
      await this.#outbox.save(localSettings(this.#server.port, this.#settings));
    } else {
      const { messages } = await this.#outbox.submitAll(action.submit);
      for (const [index, { id }] of messages.entries()) {
        const isUrgent = (action.submit[index]?.expiresIn ?? Number.POSITIVE_INFINITY) <= URGENT_SECONDS;
        this.#submitted.set(id, { id, kind: action.kind, isUrgent, minute: action.minute });
      }
    }
    if (this.#alarm !== undefined) await this.#settled();
  }

  async #runAlarm(): Promise<void> {
    if (++this.#alarmsAtOnce > MAX_ALARMS_AT_ONCE) throw new Error("alarms follow each other without end");
    await this.#setServerTime();
    if (this.#alarm === undefined) this.#startAlarm();
    else await runInDurableObject(this.#outbox.stub, () => this.#timers.fireDue());
    await this.#settled();
  }

  #startAlarm(): void {
    this.#watched.at = null;
    this.#alarm = runDurableObjectAlarm(this.#outbox.stub).then(() => {
      this.#alarm = undefined;
    });
  }

  /** Waits until the alarm has ended, or its delivery run waits for another message. */
  async #settled(): Promise<void> {
    await Promise.race([this.#alarm, this.#timers.started()]);
  }
}
