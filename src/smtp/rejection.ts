import type { Reply } from "./reply.ts";

/** What a server objects to when it rejects a sender, a recipient or a message. */
export type RejectionCause = "authentication" | "sender" | "throttling" | "other";

// Replies to too many mails, whatever their code. A full mailbox (x.2.2) is the recipient's.
const THROTTLED =
  /(rate|sending|daily|hourly|message|connection|submission|concurren\w*)[\s-]*(limit|quota)|(limit|quota) (has been |is )?(reached|exceeded)|exceeded (the|your|its) .{0,30}(limit|quota)|too many|throttl|over quota/i;

// What servers say to a client that should have authenticated, and to one that they do not relay for.
const NOT_AUTHENTICATED =
  /relay(ing)? (access )?(is )?(denied|not (allowed|permitted))|unable to relay|auth\w* (is )?(required|needed)|(must|need to|please) (first )?(authenticate|log ?in)|not (logged in|authenticated)|client host rejected/i;

// What servers say of a sender that the user may not use.
const SENDER_REJECTED =
  /sender|send ?as|from address|not owned by|(not|isn't) (allowed|permitted|authori[sz]ed) to send|email address is not verified/i;

/**
 * Reads a negative reply to MAIL, RCPT, DATA or the message. Its words decide, not the command that it answers:
 * Postfix rejects senders and missing authentication in its reply to RCPT.
 */
export function causeOfRejection({ code, enhancedCode = "", text }: Reply): RejectionCause {
  if (code === 530 || enhancedCode === "5.7.57" || NOT_AUTHENTICATED.test(text)) return "authentication";
  if (!/^[45]\.2\./.test(enhancedCode) && THROTTLED.test(text)) return "throttling";
  return SENDER_REJECTED.test(text) ? "sender" : "other";
}
