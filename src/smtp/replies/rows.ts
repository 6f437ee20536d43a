import { replyLine } from "../reply.ts";
import { BY_CAUSE, CERTAIN_CAUSES, CODES, LAST_RESORT, NO_USER, SESSION_LIMITS } from "./common.ts";
import { FAILURES } from "./failures.ts";
import { PROVIDERS } from "./providers/index.ts";
import type { Cause, Group, Provider, Row, Symptom } from "./row.ts";
import { NO_TOKEN, REJECTED_TOKENS } from "./tokens.ts";
import { WORDS } from "./words.ts";

// The certain comes before the probable, and what a server says before its bare code.
const ordered = (providers: readonly Provider[]): readonly Group[] => [
  NO_TOKEN,
  FAILURES,
  SESSION_LIMITS,
  CERTAIN_CAUSES,
  NO_USER,
  ...providers,
  WORDS,
  REJECTED_TOKENS,
  CODES,
];

/** All hints, by group. */
export const HINT_GROUPS: readonly Group[] = [
  ...ordered(PROVIDERS),
  BY_CAUSE,
  { title: "Any other reply", rows: [LAST_RESORT] },
];

/** All hints. */
export const ROWS: readonly Row[] = HINT_GROUPS.flatMap(({ rows }) => rows);

/** A row's hint, with its placeholders replaced. */
export function fillHint({ hint }: Row, { clientName = "HOSTNAME", mechanisms = [] }: Symptom): string {
  return hint.replace("{clientName}", () => clientName).replace("{mechanisms}", () => mechanisms.join(", "));
}

/**
 * The row that provides the hint.
 *
 * @param cause considers only rows of this cause, for evidence that overrules the reply
 */
export function rowFor(symptom: Symptom, cause?: Cause): Row {
  const byReply = ordered(providersOf(symptom)).filter(({ where }) => where?.(symptom) ?? true);
  const groups = cause === undefined ? byReply : [...byReply, BY_CAUSE];
  return (
    groups
      .flatMap(({ rows }) => rows)
      .find((row) => (cause === undefined || row.cause === cause) && matches(row, symptom)) ?? LAST_RESORT
  );
}

/** The host decides, and the reply only for a host of no known provider. */
function providersOf({ settings, reply }: Symptom): readonly Provider[] {
  const byHost = PROVIDERS.filter(({ host }) => host.test(settings.host));
  if (byHost.length > 0 || reply === undefined) return byHost;
  return PROVIDERS.filter(({ mark }) => mark?.test(replyLine(reply)));
}

function matches({ kinds = ["reply"], stages, reply, where }: Row, symptom: Symptom): boolean {
  return (
    kinds.includes(symptom.kind) &&
    (stages?.includes(symptom.stage) ?? true) &&
    (reply === undefined || (symptom.reply !== undefined && reply.test(replyLine(symptom.reply)))) &&
    (where?.(symptom) ?? true)
  );
}
