import type { TokenFailure } from "../../oauth/token-request.ts";
import type { Reply } from "../reply.ts";
import type { FailureKind, Stage } from "../result.ts";
import type { SmtpSettings } from "../smtp-settings.ts";

/** What determines a hint. */
export interface Symptom {
  kind: FailureKind;
  stage: Stage;
  settings: SmtpSettings;
  /** The server's negative reply, if any. */
  reply: Reply | undefined;
  /** Our name in EHLO, if known. */
  clientName?: string | undefined;
  /** SASL mechanisms that the server offers, if known. */
  mechanisms?: readonly string[] | undefined;
  /** Why the server rejects an access token. */
  challenge?: string | undefined;
  /** Whether the server refused the AUTH command itself. */
  isAuthRefused?: boolean | undefined;
  /** What the token endpoint said, in stage `token`. */
  oauth?: TokenFailure | undefined;
}

/**
 * Who can fix it. `server`: the server fails, or objects to our client. `account`: the provider restricts the
 * tenant's account. `settings`: an administrator can change something, here or at the provider. `message`: only
 * this recipient or this content is rejected.
 */
export const CAUSES = ["server", "account", "settings", "message"] as const;

export type Cause = (typeof CAUSES)[number];

/**
 * What a failure is about. `connection`: TLS, our IP address or our name in EHLO. `session`: the number of messages
 * or of connections. `logins`: their number. `password`: user and password, missing or rejected.
 */
export type Subject =
  | "connection"
  | "session"
  | "logins"
  | "password"
  | "mechanism"
  | "token"
  | "sender"
  | "recipient"
  | "content";

/** A hint, and the symptom that it is for. All conditions that are present must hold. */
export interface Row {
  /** What to do. `{clientName}` and `{mechanisms}` stand for those of the symptom. */
  hint: string;
  /** The cause as far as the symptom shows it. Evidence from other messages may show another one. */
  cause: Cause;
  /** Only if it is not the stage that the row is about: Postfix rejects the sender in its reply to RCPT. */
  subject?: Subject;
  /** Documentation of the symptom. */
  source: string;
  /** The kinds of failure. Without it, a command that the server rejects. */
  kinds?: readonly FailureKind[];
  stages?: readonly Stage[];
  /** Matches the reply in one line, codes first: `550 5.7.1 Relaying denied`. */
  reply?: RegExp;
  /** Any other condition. */
  where?: (symptom: Symptom) => boolean;
  /** A symptom that selects this row. A test checks it. */
  example: Example;
}

export interface Example {
  stage: Stage;
  /** As the server sends it, with all codes. */
  reply?: string;
  kind?: FailureKind;
  settings?: Partial<SmtpSettings & { from: string }>;
  mechanisms?: readonly string[];
  challenge?: string;
  oauth?: TokenFailure;
  /** For how long no byte arrived, in kind `silent`. */
  silentMs?: number;
}

/** Rows that belong together. */
export interface Group {
  title: string;
  /** Which symptoms the rows are for: all, by default. */
  where?: (symptom: Symptom) => boolean;
  /** The first row that matches provides the hint. */
  rows: readonly Row[];
}

/**
 * Rows for the servers of one provider. They apply to its hosts, and to replies that carry its mark: elsewhere,
 * the same codes mean other things.
 */
export interface Provider extends Group {
  host: RegExp;
  /** What only this provider says. */
  mark?: RegExp;
  /** Host of the examples. */
  exampleHost: string;
}

const usesToken = ({ settings }: Symptom) => settings.authType === "token";

/** Conditions of a row about a password that the server rejects. */
export const PASSWORD_REJECTED = {
  stages: ["authentication"],
  where: (symptom) => !usesToken(symptom),
} satisfies Partial<Row>;

/** Conditions of a row about an access token that the server rejects. */
export const TOKEN_REJECTED = { stages: ["authentication"], where: usesToken } satisfies Partial<Row>;

/** RFC 4954 section 6. The example of rows that a provider documents without a reply. */
export const REJECTED_PASSWORD = "535 5.7.8 Authentication credentials invalid";
