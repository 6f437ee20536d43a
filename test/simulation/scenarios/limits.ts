import {
  type Action,
  batch,
  PACES,
  type Pace,
  type Rule,
  type Scenario,
  spread,
  within,
} from "../scenario.ts";

const WRONG_PASSWORD = "535 5.7.8 Authentication failed";

const TOO_MANY_LOGINS = "454 4.7.0 Too many login attempts, please try again later";

const TOO_MANY_MESSAGES = "452 4.4.5 too many messages in this session";

const QUOTA_EXCEEDED = "550 5.4.5 Daily user sending quota exceeded";

/** From then on, an account's limit counts. */
const LIMIT_START = 60;

/** The low run reaches the limit for most of a day. */
function quota(pace: Pace): readonly [number, number] {
  return [LIMIT_START, pace === "busy" ? 150 : 840];
}

/** Accepts one message in a time. */
function oneMessageIn(minutes: number): Rule {
  let last = Number.NEGATIVE_INFINITY;
  return ({ minute }) => {
    if (minute >= LIMIT_START && minute - last < minutes) return QUOTA_EXCEEDED;
    last = minute;
    return undefined;
  };
}

/** Accepts this many logins a minute. */
function loginsAMinute(count: number): Rule {
  let logins: number[] = [];
  return ({ minute }) => {
    logins = logins.filter((login) => login > minute - 1);
    if (logins.length >= count) return TOO_MANY_LOGINS;
    logins.push(minute);
    return undefined;
  };
}

/** Codes that applications send beside those of the pace. */
function moreCodes(minute: number, count: number): Action {
  return { minute, submit: Array.from({ length: count }, () => ({ expiresIn: 600 })), kind: "code" };
}

/** What servers limit: logins, connections, messages of a connection, of an hour and of a day. */
export const LIMITS: readonly Scenario[] = [
  {
    id: "j",
    title: "535 at random, 5 % of logins",
    logsIn: true,
    runs: 10,
    behavior: (random) => ({ authentication: () => (random() < 0.05 ? WRONG_PASSWORD : undefined) }),
    actions: () => spread(20, [0, 150]),
    model: { busy: "1.1 lost", low: "0.2 lost", lost: "0", wait: "482 s", copies: "1", rate: "24/24" },
    bounds: {
      expired: { busy: 2, low: 0.5 },
      waitSeconds: { busy: 545, low: 125 },
      rate: { busy: { attempts: 48, logins: 40 }, low: { attempts: 21, logins: 15 } },
    },
  },
  {
    id: "k",
    title: "454 too many logins for 20 min",
    logsIn: true,
    behavior: () => ({
      authentication: ({ minute }) => (within(minute, [30, 50]) ? TOO_MANY_LOGINS : undefined),
    }),
    actions: () => spread(20, [30, 70]),
    outage: () => [30, 50],
    model: { busy: "43/7", low: "35/1", lost: "0", wait: "547 s", copies: "1", rate: "44/22" },
    bounds: {
      expired: { busy: 3 },
      waitSeconds: { busy: 545, low: 0 },
      rate: { busy: { attempts: 53, logins: 31 }, low: { attempts: 26, logins: 13 } },
    },
  },
  {
    id: "kz",
    title: "454 above 5 logins a minute, 8 more codes a minute",
    paces: ["busy"],
    logsIn: true,
    behavior: () => ({ authentication: loginsAMinute(5) }),
    actions: () => Array.from({ length: 160 }, (_, index) => moreCodes(30 + index / 8, 1)),
    model: {
      busy: "210/0",
      low: "-",
      lost: "0",
      wait: "122 s; 1 s with the idle connection",
      copies: "1",
      rate: "180/63",
    },
    bounds: { waitSeconds: { busy: 125 }, rate: { busy: { attempts: 225, logins: 31 } } },
  },
  {
    id: "n",
    title: "452 4.4.5 after 10 messages of a connection",
    behavior: () => ({
      sender: ({ accepted, minute }) => (accepted >= 10 && minute < 90 ? TOO_MANY_MESSAGES : undefined),
      recipient: ({ accepted, minute }) => (accepted >= 10 && minute >= 90 ? TOO_MANY_MESSAGES : undefined),
    }),
    actions: () => [batch(30, 200), batch(100, 200)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "1", rate: "239/41" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      rate: { busy: { attempts: 298, logins: 51 }, low: { attempts: 276, logins: 28 } },
    },
  },
  {
    id: "p",
    title: "daily limit 550 5.4.5 from minute 60",
    logsIn: true,
    behavior: (_, pace) => ({
      message: ({ minute }) => (within(minute, quota(pace)) ? QUOTA_EXCEEDED : undefined),
    }),
    actions: () => spread(20, [LIMIT_START, 150]),
    outage: quota,
    model: { busy: "23/27", low: "17/19", lost: "0", wait: "586 s", copies: "1", rate: "100/97" },
    bounds: {
      waitSeconds: { busy: 575, low: 0 },
      rate: { busy: { attempts: 133, logins: 108 }, low: { attempts: 50, logins: 47 } },
    },
  },
  {
    id: "p2",
    title: "rolling limit from minute 60, one message in 10 min",
    logsIn: true,
    behavior: () => ({ message: oneMessageIn(10) }),
    // Of 30 codes from minute 60 on, one goes out every 10 minutes, until the last one expires at 157.
    unsavable: (pace) => (pace === "busy" ? 21 : 0),
    model: { busy: "29/21, none failed", low: "36/0", lost: "0", wait: "244 s", copies: "1", rate: "109/96" },
    bounds: {
      waitSeconds: { busy: 575, low: 0 },
      rate: { busy: { attempts: 123, logins: 111 }, low: { attempts: 2, logins: 2 } },
    },
  },
  {
    id: "r",
    title: "second connection gets 421",
    behavior: () => ({
      greeting: ({ others }) => (others > 0 ? "421 4.7.0 Too many connections" : undefined),
    }),
    actions: () => [batch(31, 200), moreCodes(31, 40)],
    model: { busy: "90/0", low: "76/0", lost: "0", wait: "2 s", copies: "1", rate: "260/36" },
    bounds: {
      waitSeconds: { busy: 5, low: 5 },
      rate: { busy: { attempts: 325, logins: 31 }, low: { attempts: 302, logins: 12 } },
    },
  },
  {
    id: "r2",
    title: "second connection gets 535",
    logsIn: true,
    behavior: () => ({ authentication: ({ others }) => (others > 0 ? WRONG_PASSWORD : undefined) }),
    actions: () => [batch(31, 200)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "1", rate: "220/23" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      rate: { busy: { attempts: 275, logins: 30 }, low: { attempts: 252, logins: 7 } },
    },
  },
  {
    id: "s",
    title: "half of the sessions refuse everything",
    logsIn: true,
    runs: 10,
    behavior: (random) => ({ sender: halfOfSessions(random, "550 5.7.1 Not accepted") }),
    actions: () => spread(20, [0, PACES.busy.codes * PACES.busy.everyMinutes]),
    model: { busy: "0.6 lost", low: "0.1 lost", lost: "0.1", wait: "-", copies: "1", rate: "133/120" },
    bounds: {
      expired: { busy: 0.3, low: 0.3 },
      lost: 0.2,
      waitSeconds: { busy: 395, low: 575 },
      rate: { busy: { attempts: 82, logins: 75 }, low: { attempts: 33, logins: 31 } },
    },
  },
  {
    id: "s2",
    title: "the same at RCPT",
    logsIn: true,
    runs: 10,
    behavior: (random) => ({ recipient: halfOfSessions(random, "550 5.7.1 Not accepted") }),
    actions: () => spread(20, [0, PACES.busy.codes * PACES.busy.everyMinutes]),
    model: { busy: "-", low: "-", lost: "-", wait: "-", copies: "-", rate: "-" },
    // A refused recipient has five attempts in ten minutes: one of 32 codes meets no session that works.
    bounds: {
      expired: { busy: 1.5, low: 1.5 },
      lost: 0.3,
      waitSeconds: { busy: 575, low: 515 },
      failed: { busy: [0, 0.3], low: [0, 0.3] },
      rate: { busy: { attempts: 81, logins: 75 }, low: { attempts: 36, logins: 33 } },
    },
  },
];

/** Refuses a command in half of the sessions. */
function halfOfSessions(random: () => number, reply: string): Rule {
  const refusing = new Map<number, boolean>();
  return ({ connection }) => {
    const refuses = refusing.get(connection) ?? random() < 0.5;
    refusing.set(connection, refuses);
    return refuses ? reply : undefined;
  };
}
