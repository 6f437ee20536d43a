import type { Action, Pace, Rule, Scenario } from "../scenario.ts";
import { batch, PACES, spread } from "../scenario.ts";

const NO_PERMISSION = "550 5.7.1 You do not have permission to send to this recipient";

const RESTRICTED = ["staff@restricted.example", "board@closed.example"];

const rejectsRestricted: Rule = ({ to }) => (RESTRICTED.includes(to) ? NO_PERMISSION : undefined);

/** One message that lives a day to a recipient who is restricted. */
function toRestricted(minute: number): Action {
  return { minute, submit: [{ to: RESTRICTED[0] ?? "" }], kind: "faulty" };
}

/** Codes to both restricted recipients, again and again. */
function resubmitted(everyMinutes: number, [from, until]: readonly [number, number]): Action[] {
  return Array.from({ length: Math.floor((until - from) / everyMinutes) }, (_, index) => ({
    minute: from + index * everyMinutes,
    submit: RESTRICTED.map((to) => ({ to, expiresIn: 600 })),
    kind: "faulty",
  }));
}

/** How long both are written to. The rest of the low run would take minutes of real time, and show nothing new. */
const ATTACK_MINUTES = { busy: PACES.busy.codes * PACES.busy.everyMinutes, low: 8 * 60 };

/** In the low run, around each code. */
function attack(pace: Pace): Action[] {
  if (pace === "busy") return resubmitted(1 / 6, [0.05, ATTACK_MINUTES.busy]);
  const { everyMinutes } = PACES.low;
  const codes = Array.from({ length: ATTACK_MINUTES.low / everyMinutes }, (_, index) => index * everyMinutes);
  return codes.flatMap((minute) => resubmitted(1 / 6, [Math.max(minute - 1.95, 0.05), minute + 2]));
}

function closesAfter(content: string): Rule<string | "close"> {
  return ({ subject }) => (subject === content ? "close" : undefined);
}

function poison(count: number): Action {
  return {
    minute: 31,
    submit: Array.from({ length: count }, () => ({ subject: "poison" })),
    kind: "faulty",
  };
}

/** What concerns single recipients and messages, and must stop no other. */
export const RECIPIENTS: readonly Scenario[] = [
  {
    id: "a",
    title: "a restricted recipient, first after a save",
    logsIn: true,
    behavior: () => ({ recipient: rejectsRestricted }),
    actions: () => [{ minute: 0, save: {} }, toRestricted(0)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "1", rate: "25/25" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      failed: { busy: [1, 1], low: [1, 1] },
      rate: { busy: { attempts: 31, logins: 31 }, low: { attempts: 8, logins: 8 } },
    },
  },
  {
    id: "a later",
    title: "a restricted recipient, later",
    logsIn: true,
    behavior: () => ({ recipient: rejectsRestricted }),
    actions: () => [toRestricted(31)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "1", rate: "25/25" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      failed: { busy: [1, 1], low: [1, 1] },
      rate: { busy: { attempts: 31, logins: 31 }, low: { attempts: 8, logins: 8 } },
    },
  },
  {
    id: "c",
    title: "two such recipients at two domains, resubmitted every 10 min",
    logsIn: true,
    behavior: () => ({ recipient: rejectsRestricted }),
    actions: (pace) => resubmitted(10, [0.5, ATTACK_MINUTES[pace]]),
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "5 s", copies: "1", rate: "59/57" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      rate: { busy: { attempts: 105, logins: 98 }, low: { attempts: 95, logins: 92 } },
    },
  },
  {
    id: "c2",
    title: "the same, every 10 s (sign-ups by an attacker)",
    logsIn: true,
    behavior: () => ({ recipient: rejectsRestricted }),
    actions: attack,
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "60 s", copies: "1", rate: "510/444" },
    // All 720 sign-ups of an hour are tried at once, even in a pause. Beside 20 codes, 140 second tries follow, mostly
    // just before a sign-up expires: half of them the pause's own, the rest at least three after each acceptance.
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      rate: { busy: { attempts: 1101, logins: 1027 }, low: { attempts: 162, logins: 150 } },
    },
  },
  {
    id: "d",
    title: "100 greylisted recipients with codes (451 first, accepted after 5 min)",
    logsIn: true,
    behavior: () => {
      const firstSeen = new Map<string, number>();
      return {
        recipient: ({ to, minute }) => {
          if (!to.startsWith("grey")) return undefined;
          const since = firstSeen.get(to) ?? minute;
          firstSeen.set(to, since);
          return minute - since < 5 ? `451 4.7.1 <${to}>: Greylisted, please try again later` : undefined;
        },
      };
    },
    actions: () => [
      {
        minute: 31,
        submit: Array.from({ length: 100 }, (_, index) => ({
          to: `grey${index}@greylisted.example`,
          expiresIn: 600,
        })),
        kind: "ordinary",
      },
    ],
    model: { busy: "50/0", low: "36/0", lost: "0 of 100", wait: "6 min", copies: "1", rate: "246/30" },
    bounds: {
      waitSeconds: { busy: 315, low: 335 },
      rate: { busy: { attempts: 307, logins: 37 }, low: { attempts: 271, logins: 15 } },
    },
  },
  {
    id: "l",
    title: "421 at RCPT for one recipient, always",
    logsIn: true,
    behavior: () => ({
      recipient: ({ to }) => (RESTRICTED.includes(to) ? "421 4.3.0 try again later, closing" : undefined),
    }),
    actions: () => [toRestricted(31), ...spread(4, [30, 60])],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "1", rate: "25/25" },
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      rate: { busy: { attempts: 36, logins: 36 }, low: { attempts: 13, logins: 13 } },
    },
  },
  {
    id: "o",
    title: "one content that makes the server close after the dot",
    logsIn: true,
    behavior: () => ({ message: closesAfter("poison") }),
    actions: () => [poison(1)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "3", rate: "23/23" },
    bounds: {
      copies: { busy: 3, low: 4 },
      waitSeconds: { busy: 0, low: 0 },
      failed: { busy: [1, 1], low: [1, 1] },
      rate: { busy: { attempts: 28, logins: 28 }, low: { attempts: 7, logins: 7 } },
    },
  },
  {
    id: "o2",
    title: "20 such messages",
    logsIn: true,
    behavior: () => ({ message: closesAfter("poison") }),
    actions: () => [poison(20)],
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "1 s", copies: "3", rate: "80/73" },
    // At the low pace, no other message is accepted for 40 minutes: nothing shows that they are the cause.
    bounds: {
      copies: { busy: 3, low: 5 },
      waitSeconds: { busy: 0, low: 0 },
      failed: { busy: [20, 20], low: [20, 20] },
      rate: { busy: { attempts: 100, logins: 95 }, low: { attempts: 105, logins: 102 } },
    },
  },
  {
    id: "q",
    title: "a newsletter of 500, 30 % refused after the dot in other words",
    logsIn: true,
    behavior: () => ({
      message: ({ subject }) => (subject === "refused" ? "550 Message refused" : undefined),
    }),
    actions: () =>
      Array.from({ length: 50 }, () => [
        batch(31, 7),
        { ...batch(31, 3, { subject: "refused" }), kind: "faulty" } as const,
      ]).flat(),
    model: { busy: "50/0", low: "36/0", lost: "0", wait: "5 s", copies: "1", rate: "779/89" },
    // How many fail before they expire varies between runs, and more on a busy machine.
    bounds: {
      waitSeconds: { busy: 0, low: 0 },
      failed: { busy: [75, 150], low: [75, 150] },
      rate: { busy: { attempts: 860, logins: 152 }, low: { attempts: 692, logins: 92 } },
    },
  },
];
