import { type Behavior, batch, PACES, type Scenario, spread, within } from "../scenario.ts";

type Interval = readonly [from: number, until: number];

/** The outages begin when a code does in the busy run, and between two codes in the low one. */
const START = 30;

const OTHER_FROM = "other@example.com";

const NOT_OWNED = "5.7.1 <sender@example.com>: Sender address rejected: not owned by user";

const BLOCKED = "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using zen.spamhaus.org";

function outage(minutes: number): Interval {
  return [START, START + minutes];
}

function closesAfterTheDot(interval: Interval): () => Behavior {
  return () => ({ message: ({ minute }) => (within(minute, interval) ? "close" : undefined) });
}

function blocksClient(interval: Interval): () => Behavior {
  return () => ({ recipient: ({ minute }) => (within(minute, interval) ? BLOCKED : undefined) });
}

/** What concerns every message: no message is lost, and no more codes than have to be. */
export const OUTAGES: readonly Scenario[] = [
  {
    id: "e",
    title: "server closes after the dot for 12 min",
    behavior: closesAfterTheDot(outage(12)),
    actions: () => [batch(START + 1, 4)],
    outage: () => outage(12),
    model: { busy: "49/1", low: "36/0", lost: "0", wait: "557 s", copies: "3", rate: "45/35" },
    bounds: {
      copies: { busy: 4, low: 4 },
      waitSeconds: { busy: 545, low: 365 },
      rate: { busy: { attempts: 56, logins: 48 }, low: { attempts: 25, logins: 21 } },
    },
  },
  {
    id: "f",
    title: "the same for 3 h",
    codes: (pace) => (pace === "busy" ? { ...PACES.busy, codes: 110 } : PACES.low),
    behavior: closesAfterTheDot(outage(180)),
    actions: () => [batch(START + 1, 4)],
    outage: () => outage(180),
    model: { busy: "53/57", low: "31/5", lost: "0", wait: "559 s", copies: "4 (low 7)", rate: "71/66" },
    bounds: {
      copies: { busy: 7, low: 7 },
      waitSeconds: { busy: 545, low: 0 },
      rate: { busy: { attempts: 98, logins: 98 }, low: { attempts: 32, logins: 32 } },
    },
  },
  {
    id: "v",
    title: "the same for 6 h with two ordinary messages and no codes",
    paces: ["busy"],
    codes: () => ({ codes: 0, everyMinutes: 1 }),
    behavior: closesAfterTheDot(outage(360)),
    actions: () => [batch(0, 1), batch(31, 2)],
    outage: () => outage(360),
    model: { busy: "-", low: "-", lost: "0", wait: "-", copies: "7", rate: "61/62" },
    bounds: { copies: { busy: 8 }, waitSeconds: { busy: 0 }, rate: { busy: { attempts: 12, logins: 12 } } },
  },
  {
    id: "g",
    title: "sender refused at RCPT for an hour, repaired by a save",
    logsIn: true,
    behavior: () => ({
      recipient: ({ from, minute }) =>
        minute >= START && from !== OTHER_FROM ? `550 ${NOT_OWNED}` : undefined,
    }),
    actions: () => [...spread(20, outage(60)), { minute: START + 60, save: { from: OTHER_FROM } }],
    outage: () => outage(60),
    model: { busy: "33/17", low: "34/2", lost: "0", wait: "545 s", copies: "1", rate: "111/88" },
    bounds: {
      waitSeconds: { busy: 545, low: 0 },
      rate: { busy: { attempts: 151, logins: 123 }, low: { attempts: 87, logins: 65 } },
    },
  },
  {
    id: "h",
    title: "the same at MAIL",
    logsIn: true,
    behavior: () => ({
      sender: ({ from, minute }) => (minute >= START && from !== OTHER_FROM ? `553 ${NOT_OWNED}` : undefined),
    }),
    actions: () => [...spread(20, outage(60)), { minute: START + 60, save: { from: OTHER_FROM } }],
    outage: () => outage(60),
    model: { busy: "33/17", low: "34/2", lost: "0", wait: "545 s", copies: "1", rate: "96/74" },
    bounds: {
      waitSeconds: { busy: 545, low: 0 },
      rate: { busy: { attempts: 152, logins: 125 }, low: { attempts: 76, logins: 53 } },
    },
  },
  {
    id: "h2",
    title: "the same for 40 min, no save",
    logsIn: true,
    behavior: () => ({
      sender: ({ minute }) => (within(minute, outage(40)) ? `553 ${NOT_OWNED}` : undefined),
    }),
    actions: () => spread(20, outage(40)),
    outage: () => outage(40),
    model: { busy: "39/11", low: "35/1", lost: "0", wait: "426 s", copies: "1", rate: "82/61" },
    bounds: {
      waitSeconds: { busy: 455, low: 0 },
      rate: { busy: { attempts: 128, logins: 102 }, low: { attempts: 67, logins: 45 } },
    },
  },
  {
    id: "i",
    title: "wrong password for an hour, repaired by a save",
    logsIn: true,
    behavior: () => ({
      authentication: ({ password, minute }) =>
        minute >= START && password !== "new password" ? "535 5.7.8 Authentication failed" : undefined,
    }),
    actions: () => [...spread(20, outage(60)), { minute: START + 60, save: { password: "new password" } }],
    outage: () => outage(60),
    model: { busy: "33/17", low: "34/2", lost: "0", wait: "545 s", copies: "1", rate: "43/21" },
    bounds: {
      waitSeconds: { busy: 545, low: 0 },
      rate: { busy: { attempts: 53, logins: 26 }, low: { attempts: 26, logins: 5 } },
    },
  },
  {
    id: "m",
    title: "every RCPT 554 (DNSBL) for 40 min",
    logsIn: true,
    behavior: blocksClient(outage(40)),
    actions: () => spread(20, outage(40)),
    outage: () => outage(40),
    model: { busy: "39/11", low: "35/1", lost: "0", wait: "425 s", copies: "1", rate: "91/69" },
    bounds: {
      waitSeconds: { busy: 455, low: 0 },
      rate: { busy: { attempts: 128, logins: 102 }, low: { attempts: 68, logins: 45 } },
    },
  },
  {
    id: "u",
    title: "300 queued, every one 554 for 40 min",
    logsIn: true,
    behavior: blocksClient([0, 40]),
    actions: () => [batch(0, 300)],
    outage: () => [0, 40],
    model: { busy: "39/11", low: "35/1", lost: "0", wait: "491 s", copies: "1", rate: "401/101" },
    bounds: {
      waitSeconds: { busy: 455, low: 0 },
      rate: { busy: { attempts: 457, logins: 82 }, low: { attempts: 397, logins: 25 } },
    },
  },
];
