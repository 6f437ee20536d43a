import { MAILBOX_FULL } from "./replies/common.ts";
import { replyLine } from "./replies/row.ts";
import { parseReply } from "./reply.ts";

/** What a server objects to when it rejects a sender, a recipient or a message. */
export type RejectionCause = "authentication" | "sender" | "account" | "throttling" | "other";

// What servers say to a client that should have authenticated, and to one that they do not relay for.
const NOT_AUTHENTICATED =
  /^530\b|^\d{3} 5\.7\.57\b|\brelay(ing)?\b.{0,20}\b(denied|not (allowed|permitted|authori[sz]ed)|prohibited|disabled)|(unable|not permitted) to relay|do(es)? not relay|rcpthosts|auth\w* (is )?(required|needed)|(must|need to|please) (first )?(authenticate|log ?in)|not (logged in|authenticated)(?! for group)|client host rejected: access denied/i;

// What OpenSMTPD says to a client that should have authenticated. Others mean the recipient.
const NOT_AUTHENTICATED_PERHAPS = /invalid recipient|client host rejected/i;

// Addresses, whose words say nothing about the cause.
const ADDRESS = /<[^<>]*>|(?<!\S)\S+@\S+/g;

// Replies to too many mails, whatever their code.
const THROTTLED =
  /(rate|sending|daily|hourly|message|connection|submission|concurren\w*)[\s-]*(limit|quota)|(limit|quota) (has been |is )?(reached|exceeded)|exceeded (the|your|its) .{0,30}(limit|quota)|exceeded the max|too (many (messages|e?-?mails|connections|concurrent|log-?ins)|much mail)|throttl/i;

// What servers say when they accept no mail at all from the account.
const ACCOUNT_BLOCKED =
  /^\d{3} [45]\.7\.13\b|\b((your|smtp|sender|sending) account|sending|sender)\b.{0,20}\b(suspended|disabled|deactivated|locked|paused|not (yet )?activ)|mail sending denied|tenant has exceeded|unusual sending activity|unauthori[sz]ed ip|unconfigured sending domain/i;

// Status of the recipient's address or mailbox and of the message's size (RFC 3463 sections 3.2 to 3.4), although
// Exchange also reports a sender's quota with 5.2.2; and delays of an unknown recipient or client.
const MAILBOX =
  /^\d{3} [45]\.(1\.[1236]|2\.[1-4]|3\.4)\b(?!.*submission)|\brecipient\b.{0,40}\bnot (verified|allowed|authori[sz]ed)|gr[ea]ylist/i;

// What servers say of a sender that the user may not use.
const SENDER_REJECTED =
  /^\d{3} [45]\.1\.[78]\b|\bsender (address |domain )?(is )?(rejected|denied|refused|blocked|not allowed|invalid|verif)|domain of sender|send ?as|from address|not owned by|(not|isn't) (allowed|permitted|authori[sz]ed) to (send|use)|permissions? to send|not one of your addresses|same as auth|not verified|verified sender/i;

/**
 * Reads a negative reply to MAIL, RCPT, DATA or the message. Its words decide, not the command that it answers:
 * Postfix rejects senders and missing authentication in its reply to RCPT.
 */
export function causeOfRejection(reply: string, { authenticated = true } = {}): RejectionCause {
  const line = replyLine(parseReply(reply, Number.POSITIVE_INFINITY)).replace(ADDRESS, "<>");
  if (NOT_AUTHENTICATED.test(line)) return "authentication";
  if (!authenticated && NOT_AUTHENTICATED_PERHAPS.test(line)) return "authentication";
  if (MAILBOX.test(line) || MAILBOX_FULL.test(line)) return "other";
  if (ACCOUNT_BLOCKED.test(line)) return "account";
  if (THROTTLED.test(line)) return "throttling";
  return SENDER_REJECTED.test(line) ? "sender" : "other";
}
