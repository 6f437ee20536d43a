import type { MailInput } from "../../src/delivery/mailer.ts";

/** How often the application sends a login code. */
export const PACES = {
  /** One every 3 minutes for 150 minutes. */
  busy: { codes: 50, everyMinutes: 3 },
  /** One every 40 minutes for a day. */
  low: { codes: 36, everyMinutes: 40 },
} as const;

export type Pace = keyof typeof PACES;

/** Lifetime of a login code. */
const CODE_MINUTES = 10;

/** What a server knows of a client when it replies to a command. */
export interface Moment {
  /** Virtual time since the start. */
  minute: number;
  /** Number of the connection, from 0. */
  connection: number;
  /** Other connections at the time. */
  others: number;
  /** Messages that it has accepted over the connection. */
  accepted: number;
  password: string;
  /** Address in MAIL. */
  from: string;
  /** Address in RCPT. */
  to: string;
  subject: string;
}

/** Replies to a command negatively, or not at all. */
export type Rule<Reply extends string = string> = (moment: Moment) => Reply | undefined;

/** How a server differs from one that accepts everything. `close`: it ends the connection in place of a reply. */
export interface Behavior {
  greeting?: Rule;
  authentication?: Rule;
  sender?: Rule;
  recipient?: Rule;
  message?: Rule<string | "close">;
}

/** Whose fault it is if a message is not sent. A login code counts by itself. */
export type Kind = "code" | "ordinary" | "faulty";

/** What the tenant's applications and administrators do. */
export type Action = { minute: number } & (
  | { submit: Partial<MailInput>[]; kind: Kind }
  | { save: Record<string, unknown> }
);

/** Figures of the abstract model that the rules were chosen with. */
interface ModelFigures {
  busy: string;
  low: string;
  lost: string;
  wait: string;
  copies: string;
  rate: string;
}

/** A bound for each pace that a scenario is run at. */
type PerPace<Bound> = Partial<Record<Pace, Bound>>;

/** What must hold for good. Bounds lie so close to what is measured that they show a rule that has changed. */
interface Bounds {
  /** Codes that may expire besides those that no rule could save; in the mean, if there are several runs. */
  expired?: PerPace<number>;
  /** Ordinary messages that may be lost in the mean of several runs. Default: none. */
  lost?: number;
  /** How often the content of one message may arrive, or leave without a reply. Default: once. */
  copies?: PerPace<number>;
  /** Longest wait of an urgent message that is sent, in seconds. 0: it is sent while the clock stands still. */
  waitSeconds: PerPace<number>;
  /** Messages in state `failed`; in the mean, if there are several runs. Default: none. */
  failed?: PerPace<readonly [least: number, most: number]>;
  /** Attempts and logins of the worst hour. */
  rate: PerPace<{ attempts: number; logins: number }>;
}

/** One server that misbehaves, and what the tenant does meanwhile. */
export interface Scenario {
  /** Its letter, as in the model. */
  id: string;
  title: string;
  /** Default: both. */
  paces?: readonly Pace[];
  /** Default: the codes of the pace. */
  codes?: (pace: Pace) => { codes: number; everyMinutes: number };
  /** Logs in, over TLS. Default: neither. */
  logsIn?: true;
  /** How many runs, each with its own random numbers. Default: one. */
  runs?: number;
  behavior: (random: () => number, pace: Pace) => Behavior;
  /** What happens besides the codes. Default: nothing. */
  actions?: (pace: Pace) => Action[];
  /** When the server accepts nothing that is sent: a code that lives within this time cannot be saved. */
  outage?: (pace: Pace) => readonly [fromMinute: number, untilMinute: number];
  /** Codes that no rule could save, if not because of an outage. */
  unsavable?: (pace: Pace) => number;
  model: ModelFigures;
  bounds: Bounds;
}

/** A generator of random numbers from 0 to 1 that repeats itself for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Submits messages that live a day at one time. */
export function batch(minute: number, count: number, message: Partial<MailInput> = {}): Action {
  return { minute, submit: Array.from({ length: count }, () => message), kind: "ordinary" };
}

/** Submits messages that live a day, evenly over a time. */
export function spread(count: number, [from, until]: readonly [number, number]): Action[] {
  const step = (until - from) / count;
  return Array.from({ length: count }, (_, index) => batch(from + index * step, 1));
}

/** Whether a time is within an interval. */
export function within(minute: number, [from, until]: readonly [number, number]): boolean {
  return from <= minute && minute < until;
}

/** The login codes of a scenario. */
export function codesOf({ codes = (pace) => PACES[pace] }: Scenario, pace: Pace): Action[] {
  const { codes: count, everyMinutes } = codes(pace);
  return Array.from({ length: count }, (_, index) => ({
    minute: index * everyMinutes,
    submit: [{ expiresIn: CODE_MINUTES * 60, tag: "login-code" }],
    kind: "code",
  }));
}

/** How many codes no rule could save. */
export function unsavableCodes(scenario: Scenario, pace: Pace): number {
  if (scenario.unsavable !== undefined) return scenario.unsavable(pace);
  if (scenario.outage === undefined) return 0;
  const [from, until] = scenario.outage(pace);
  return codesOf(scenario, pace).filter(({ minute }) => from <= minute && minute + CODE_MINUTES <= until)
    .length;
}
