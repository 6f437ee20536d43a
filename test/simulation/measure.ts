import type { MailStatus } from "../../src/delivery/status.ts";
import type { ServerRecord } from "./control.ts";
import type { Kind, Pace, Scenario } from "./scenario.ts";
import { unsavableCodes } from "./scenario.ts";

/** A message at the end of a run. */
export interface SubmittedMessage {
  id: string;
  kind: Kind;
  isUrgent: boolean;
  /** When it was accepted, in virtual time. */
  minute: number;
  /** `lost`: the outbox does not know it. */
  state: MailStatus["state"] | "lost";
}

/** What one run shows, or the mean of several. */
export interface RunFigures {
  codesSent: number;
  codesExpired: number;
  /** Codes that no rule could save. */
  unsavable: number;
  /** Ordinary messages that were not sent. */
  lost: number;
  /** Messages in state `failed`. */
  failed: number;
  /** Longest wait of an urgent message that was sent, in seconds. */
  longestWait: number;
  /** How often the content of one message arrived, or left without a reply. */
  copies: number;
  /** MAIL commands and logins of the worst hour. */
  attempts: number;
  logins: number;
}

/** Measures a run that is over. */
export function measure(
  scenario: Scenario,
  pace: Pace,
  messages: readonly SubmittedMessage[],
  { contents, attempts, logins }: ServerRecord,
): RunFigures {
  const received = Map.groupBy(
    contents.filter(({ outcome }) => outcome !== "rejected"),
    ({ messageId }) => /^<(.*)@/.exec(messageId)?.[1],
  );
  const waits = messages
    .filter(({ state, isUrgent, kind }) => state === "sent" && isUrgent && kind !== "faulty")
    .map(({ id, minute }) => {
      const accepted = received.get(id)?.find(({ outcome }) => outcome === "accepted");
      if (accepted === undefined) throw new Error(`${id} is sent, but the server has not accepted it`);
      return (accepted.minute - minute) * 60;
    });
  const codes = messages.filter(({ kind }) => kind === "code");
  const codesSent = codes.filter(({ state }) => state === "sent").length;
  return {
    codesSent,
    codesExpired: codes.length - codesSent,
    unsavable: unsavableCodes(scenario, pace),
    lost: messages.filter(({ kind, state }) => kind === "ordinary" && state !== "sent").length,
    failed: messages.filter(({ state }) => state === "failed").length,
    longestWait: Math.round(Math.max(0, ...waits)),
    copies: Math.max(0, ...Array.from(received.values(), ({ length }) => length)),
    attempts: worstHour(attempts),
    logins: worstHour(logins),
  };
}

/** The mean of several runs; the worst of waits, copies and rates. */
export function meanOf(runs: readonly RunFigures[]): RunFigures {
  const mean = (name: keyof RunFigures) => runs.reduce((sum, run) => sum + run[name], 0) / runs.length;
  const worst = (name: keyof RunFigures) => Math.max(...runs.map((run) => run[name]));
  return {
    codesSent: mean("codesSent"),
    codesExpired: mean("codesExpired"),
    unsavable: mean("unsavable"),
    lost: mean("lost"),
    failed: mean("failed"),
    longestWait: worst("longestWait"),
    copies: worst("copies"),
    attempts: worst("attempts"),
    logins: worst("logins"),
  };
}

/** How many of the times, in ascending order, lie within an hour at most. */
function worstHour(minutes: readonly number[]): number {
  let first = 0;
  let most = 0;
  minutes.forEach((minute, index) => {
    while ((minutes[first] ?? minute) <= minute - 60) first++;
    most = Math.max(most, index - first + 1);
  });
  return most;
}
