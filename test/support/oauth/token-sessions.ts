import { composeMessage } from "../../../src/mail/message.ts";
import type { TokenResult } from "../../../src/oauth/token-request.ts";
import { settingsSchema } from "../../../src/settings/schema.ts";
import type { Diagnosis } from "../../../src/smtp/diagnosis.ts";
import { explain } from "../../../src/smtp/explain.ts";
import type { Step } from "../../../src/smtp/result.ts";
import { SmtpSession } from "../../../src/smtp/session.ts";
import { type SmtpTimeouts, TEST_TIMEOUTS } from "../../../src/smtp/timeouts.ts";
import { localSettings } from "../local-settings.ts";
import { MAILBOX } from "./clients.ts";

/** Where the sessions of a test get their tokens. */
type TokenSource = (rejected?: string) => Promise<TokenResult>;

/** Settings that ask for a token, from wherever the test gets it. */
export function tokenSettings(port: number, changes: Record<string, unknown> = {}) {
  const secret = "authTokenPrivateKey" in changes ? {} : { authTokenClientSecret: "s3cret" };
  return settingsSchema.parse(
    localSettings(port, {
      password: undefined,
      user: MAILBOX,
      authType: "token",
      authTokenUrl: "https://login.example.net/token",
      authTokenClientId: "client-1",
      ...secret,
      ...changes,
    }),
  );
}

/** A source of tokens in this order, and what it was asked. */
export function tokens(...results: (string | TokenResult)[]) {
  const rejections: (string | undefined)[] = [];
  const source: TokenSource = async (rejected) => {
    const result = results[rejections.length] ?? "no more tokens";
    rejections.push(rejected);
    if (typeof result !== "string") return result;
    return { ok: true, token: result, expiresAt: Date.now() + 3_600_000, cached: false };
  };
  return { source, rejections };
}

/** A cached token. */
export function cached(token: string): TokenResult {
  return { ok: true, token, expiresAt: Date.now() + 3_600_000, cached: true };
}

/** Opens a session with a token, sends a mail, and closes the session. */
export async function sendByToken(
  { port }: { port: number },
  accessToken: TokenSource,
  { settings: changes, timeouts = TEST_TIMEOUTS }: { settings?: object; timeouts?: SmtpTimeouts } = {},
): Promise<{ steps: readonly Step[] } | { diagnosis: Diagnosis }> {
  const settings = tokenSettings(port, { ...changes });
  const session = new SmtpSession(settings, {
    clientName: "mail.example.com",
    allowPrivateHosts: true,
    accessToken,
    timeouts,
  });
  try {
    const opened = await session.open();
    const messageId = "<1@example.com>";
    const content = { to: "reader@example.org", subject: "Hello", text: "Hello\n", messageId };
    const result = opened.ok ? await session.send(await composeMessage(settings, content)) : opened;
    return result.ok
      ? { steps: result.steps }
      : { diagnosis: explain(result.failure, { settings }).diagnosis };
  } finally {
    session.close();
  }
}
