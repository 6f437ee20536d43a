import type { Cause } from "../../../src/smtp/replies/row.ts";
import type { Stage } from "../../../src/smtp/result.ts";

/**
 * Replies of real servers, from providers' documentation and public reports, with a judgement of what is at
 * fault.
 *
 * Addresses are replaced: the recipient's by `<to@example.org>`, the sender's by `<from@example.com>`, those of
 * hosts by RFC 5737. So are placeholders of the documentation. Lines that a report folds are separated again.
 * Comments name what the text alone does not show.
 */

export interface PublicReply {
  /** EHLO counts as `greeting`, the command DATA as `message`. */
  stage: Stage;
  /** As the server sends it, lines separated by CRLF. */
  reply: string;
  /** The submission host of a known provider. */
  host?: string;
  /** Whether the session has authenticated. Default: true. Irrelevant before AUTH. */
  authenticated?: boolean;
  /** Where the reply is documented or reported. */
  source?: string;
  /** What is at fault, by the documentation. */
  cause: Cause;
  /** What the reply alone shows, where that is less. */
  classifiedAs?: Cause;
  /** Whether the message fails at once. */
  isFinal?: true;
  /** Whether it fails although something else is at fault: a reply that lies. */
  isGivenUp?: true;
}

const BOUNCES = "https://github.com/sisimai/set-of-emails/blob/HEAD";
const FIELD_MANUAL = "https://github.com/ActiveCampaign/smtp-field-manual/blob/HEAD/data/codes";
const SMTP_CODES = "https://github.com/fm/smtp-codes/blob/HEAD/data/codes";
const POSTFIX = "https://github.com/vdukhovni/postfix/blob/HEAD/postfix/src";
const EXIM = "https://github.com/Exim/exim/blob/HEAD/src/src";
const QMAIL = "https://github.com/notqmail/notqmail/blob/HEAD/qmail-smtpd.c";
const OPENSMTPD = "https://github.com/OpenSMTPD/OpenSMTPD/blob/HEAD/usr.sbin/smtpd/smtp_session.c";
const HARAKA = "https://github.com/haraka/Haraka/blob/HEAD";
const STALWART = "https://github.com/stalwartlabs/stalwart/blob/HEAD/crates/smtp/src/inbound";
const KUMOMTA = "https://github.com/KumoCorp/kumomta/blob/HEAD/crates/kumod/src/smtp_server.rs";
const POSTAL = "https://github.com/postalserver/postal/blob/HEAD/app/lib/smtp_server/client.rb";
const MOX = "https://github.com/mjl-/mox/blob/HEAD/smtpserver/server.go";
const EXCHANGE_REPORTS =
  "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/non-delivery-reports-in-exchange-online";
const EXCHANGE_TELNET = "https://learn.microsoft.com/exchange/mail-flow/test-smtp-with-telnet";
const GMAIL_CODES = "https://support.google.com/a/answer/3726730";
const SES_SMTP = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";
const EMAILIT = "https://emailit.com/docs/smtp/troubleshooting/";
const ORACLE = "https://docs.oracle.com/iaas/Content/Email/Concepts/troubleshooting.htm";
const ALIYUN = "http://sh-aliyun.com/index.php/Products/detail/cid/0/pid/87.html";
const NETEASE = "https://biecuoliao.com/pa/MBRrwEM.html";

/** Replies that version 0.2.0 misread before its release: messages were given up, or a tenant's outbox stopped. */
const MISREAD_REPLIES: readonly PublicReply[] = [
  // Messages are given up though the settings are at fault.
  {
    stage: "sender",
    reply: "553 Mail from must equal authorized user",
    host: "smtp.163.com",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "553 Relaying disallowed",
    host: "smtp.zoho.com",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "553 Relaying disallowed",
    host: "smtp.zoho.com",
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 5.7.1 Sending from domain example.com is not allowed",
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 Unauthenticated senders not allowed",
    host: "smtp.sendgrid.net",
    authenticated: false,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "503 Error: need EHLO and AUTH first !",
    host: "smtp.qq.com",
    authenticated: false,
    cause: "settings",
  },
  // Account limits.
  {
    stage: "message",
    reply: "550 send spam mail rejected: exceeded hour limit",
    cause: "account",
  },
  {
    stage: "message",
    reply: "550 Sender frequency limited",
    host: "smtp.qq.com",
    cause: "account",
  },
  {
    stage: "message",
    reply:
      "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is not None. Actual verdict is HipNotify, ShowTierUpgrade. OutboundSpamException: WASCL UserAction verdict is not None. Actual verdict is HipNotify, ShowTierUpgrade. [Hostname=TY2PR06MB3117.apcprd06.prod.outlook.com]",
    host: "smtp-mail.outlook.com",
    cause: "account",
  },
  {
    stage: "message",
    reply: "550 5.4.5 Daily user sending limit exceeded. - gsmtp",
    host: "smtp.gmail.com",
    cause: "account",
  },
  // Refusals of the client.
  {
    stage: "recipient",
    reply: "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using bl.spamcop.net",
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "504 5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname",
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "550 5.7.606 Access denied, banned sending IP [192.0.2.7]",
    cause: "server",
  },
  // One recipient stops the tenant's outbox.
  {
    stage: "recipient",
    reply: "550 5.7.1 You do not have permission to send to this recipient",
    cause: "message",
  },
  {
    // It names only the recipient, yet a server that does not relay for this user says the same of everyone.
    stage: "recipient",
    reply: "554 5.7.1 <to@example.org>: Relay access denied",
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group",
    host: "smtp.office365.com",
    cause: "message",
    isFinal: true,
  },
  {
    stage: "message",
    reply:
      "550 5.7.134 RESOLVER.RST.SenderNotAuthenticatedForMailbox; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this mailbox",
    host: "smtp.office365.com",
    cause: "message",
    isFinal: true,
  },
  {
    stage: "message",
    reply:
      "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: to@example.org",
    host: "email-smtp.eu-west-1.amazonaws.com",
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply:
      "450 4.1.1 <to@example.org>: Recipient address rejected: unverified address: host mx.example.org[192.0.2.9] said: 530 5.7.0 Authentication required (in reply to RCPT TO command)",
    cause: "message",
  },
  // Sessions and logins.
  {
    stage: "message",
    reply: "452 4.4.5 Maximum number of messages per session exceeded.",
    cause: "server",
  },
  {
    stage: "message",
    reply:
      "432 4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded [Hostname=DM5SPR00MB2471.namprd08.prod.outlook.com]",
    host: "smtp.office365.com",
    cause: "account",
  },
  {
    stage: "authentication",
    reply: "432 4.7.12 A password transition is needed",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "454 4.7.0 Too many login attempts, please try again later. - gsmtp",
    host: "smtp.gmail.com",
    cause: "account",
  },
  {
    stage: "authentication",
    reply: "504 5.7.4 Unrecognized authentication type",
    host: "smtp.office365.com",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "550 5.7.30 Basic authentication is not supported for Client Submission.",
    host: "smtp.office365.com",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply:
      "535 5.7.139 Authentication unsuccessful, basic authentication is disabled. [AM0PR06CA0126.eurprd06.prod.outlook.com]",
    host: "smtp-mail.outlook.com",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply:
      "535 Login Fail. Please enter your authorization code to login. More information in http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=28&&no=1001256",
    host: "smtp.qq.com",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "535 Authentication credentials invalid",
    host: "mail.gmx.net",
    cause: "settings",
  },
];

const POSTFIX_REPLIES: readonly PublicReply[] = [
  {
    stage: "greeting",
    reply: "421 4.7.0 mail.example.net Error: too many connections from 192.0.2.7",
    source: `${POSTFIX}/smtpd/smtpd.c`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "greeting",
    reply: "554 mail.example.net ESMTP not accepting connections",
    source: `${POSTFIX}/smtpd/smtpd.c`,
    cause: "server",
  },
  {
    stage: "greeting",
    reply: "421 4.3.2 All server ports are busy",
    source: `${POSTFIX}/postscreen/postscreen_send.c`,
    cause: "server",
  },
  {
    stage: "authentication",
    reply: "450 4.7.1 Error: too many AUTH commands from 192.0.2.7",
    source: `${POSTFIX}/smtpd/smtpd.c`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    // Proton offers PLAIN alone, and the client sent AUTH LOGIN.
    stage: "authentication",
    reply: "535 5.7.8 Error: authentication failed: Invalid authentication mechanism",
    host: "smtp.protonmail.ch",
    source: "https://github.com/splitbrain/dokuwiki-plugin-smtp/issues/65",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "553 5.6.7 Must declare SMTPUTF8 to send unicode address",
    source: `${POSTFIX}/smtpd/smtpd.c`,
    cause: "message",
    isFinal: true,
  },
  {
    stage: "recipient",
    reply: "450 4.3.2 Service currently unavailable",
    source: `${POSTFIX}/postscreen/postscreen_state.c`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "451 4.3.5 Server configuration error",
    source: `${POSTFIX}/smtpd/smtpd_check.c`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply:
      "450 4.1.1 <to@example.org>: Recipient address rejected: unverified address: Address verification in progress",
    source: `${POSTFIX}/verify/verify.c`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply:
      "550 5.1.1 <to@example.org>: Recipient address rejected: undeliverable address: host mx.example.org[192.0.2.9] said: 550 5.1.1 <to@example.org>: Recipient address rejected: user unknown",
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    isFinal: true,
  },
  {
    stage: "recipient",
    reply:
      "421 4.1.1 <to@example.org>: Recipient address rejected: unverified address: host mx.example.org[192.0.2.9] said: 450 4.1.1 <to@example.org>: Recipient address rejected: unverified address: lost connection with mail.example.org[192.0.2.10] while sending RCPT TO (in reply to RCPT TO command)",
    authenticated: false,
    source: `${FIELD_MANUAL}/421.json`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply: "450 4.1.1 <to@example.org>: Recipient address rejected: User unknown in virtual alias table",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-postfix-05.eml`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply: "450 4.7.1 Client host rejected: cannot find your reverse hostname, [192.0.2.7]",
    authenticated: false,
    source: "https://www.bytecamp.net/de/faq/email/zustellen.html",
    cause: "server",
    classifiedAs: "settings",
  },
  {
    // Port 25 in place of 587: the session had not authenticated.
    stage: "recipient",
    reply: "554 5.7.1 <from@example.com>: Sender address rejected: Access denied",
    authenticated: false,
    source: "https://github.com/Mailu/Mailu/issues/656",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "525 5.7.13 <to@example.org>: Recipient address rejected: Disabled recipient address",
    source: `${BOUNCES}/maildir/bsd/lhost-dragonfly-27.eml`,
    cause: "message",
    classifiedAs: "account",
  },
  {
    // Only the recipient is named, but the text promises that it passes.
    stage: "recipient",
    reply:
      "550 5.7.1 <to@example.org>: Recipient address rejected: User to@example.org temporary locked. Please try again later!",
    source: `${BOUNCES}/maildir/bsd/lhost-amazonses-19.eml`,
    cause: "message",
    isFinal: true,
  },
  {
    // The reports omit 554, Postfix's access_map_reject_code.
    stage: "message",
    reply: "554 5.7.1 <DATA>: Data command rejected: only 10 messages per day",
    source: "https://github.com/root-io/vmail/issues/67",
    cause: "account",
  },
  {
    stage: "message",
    reply:
      "554 5.7.1 <DATA>: Data command rejected: limit of 400 rcpts per 24 hours for client from@example.com reached",
    source: "https://github.com/deltachat/deltachat-core/issues/647",
    cause: "account",
  },
  {
    stage: "message",
    reply: '451 4.7.1 Ratelimit "user" exceeded',
    source: "https://github.com/mailcow/mailcow-dockerized/issues/1497",
    cause: "account",
  },
  {
    stage: "message",
    reply: "554 5.7.1 Spam message rejected",
    source: "https://github.com/rspamd/rspamd/blob/HEAD/conf/worker-proxy.inc",
    cause: "message",
  },
  {
    stage: "message",
    reply: "550 5.7.1 Message content rejected, UBE, id=00000-22-225",
    source: `${BOUNCES}/maildir/bsd/lhost-barracuda-01.eml`,
    cause: "message",
  },
];

const EXIM_REPLIES: readonly PublicReply[] = [
  {
    stage: "greeting",
    reply: "421 mail.example.net: Too much load; please try again later",
    source: `${EXIM}/smtp_in.c`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "greeting",
    reply: "421 Too many concurrent SMTP connections from this IP address; please try again later.",
    source: `${EXIM}/daemon.c`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "authentication",
    reply: "435 Unable to authenticate at present",
    source: `${EXIM}/smtp_in.c`,
    cause: "server",
  },
  {
    stage: "sender",
    reply: "421 too many messages in this connection",
    source: `${EXIM}/smtp_in.c`,
    cause: "server",
  },
  {
    stage: "sender",
    reply: "452 Space shortage, please try later",
    source: `${EXIM}/smtp_in.c`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply:
      "550-Verification failed for <from@example.com>\r\n550-The mail server does not recognize from@example.com as a valid\r\n550-sender.\r\n550 Sender verify failed",
    authenticated: false,
    source: "https://github.com/docker-mailserver/docker-mailserver/issues/2257",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550-Callback setup failed while verifying <from@example.com>\r\n550-(result of an earlier callout reused).\r\n550-The initial connection, or a HELO or MAIL FROM:<> command was\r\n550-rejected. Refusing MAIL FROM:<> does not help fight spam, disregards\r\n550-RFC requirements, and stops you from receiving standard bounce\r\n550-messages. This host does not accept mail from domains whose servers\r\n550-refuse bounces.\r\n550 Sender verify failed",
    source: `${EXIM}/smtp_in.c`,
    cause: "settings",
    classifiedAs: "server",
  },
  {
    // The server of the sender's domain is greylisting: a third party's words about from.
    stage: "recipient",
    reply:
      '451-response to "RCPT TO:<from@example.com>" from mx.example.com [192.0.2.9] was: 450 4.2.0 <from@example.com>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/example.com.html\r\n451-Could not complete sender verify callout for\r\n451-<from@example.com>.\r\n451-The mail server(s) for the domain may be temporarily unreachable, or\r\n451-they may be permanently unreachable from this server. In the latter case,\r\n451-you need to change the address or create an MX record for its domain\r\n451-if it is supposed to be generally accessible from the Internet.\r\n451 Talk to your mail administrator for details.',
    authenticated: false,
    source: "https://www.exim.org/exim-html-current/doc/html/spec_html/ch-access_control_lists.html",
    cause: "settings",
    classifiedAs: "server",
  },
  {
    // A third party's words about the recipient.
    stage: "recipient",
    reply:
      "550-Callout verification failed:\r\n550 550 5.1.1 <to@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
    source: `${EXIM}/verify.c`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply: "550 Restricted characters in address",
    source: `${EXIM}/configure.default`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply: "550 Email account from@example.com is sending too many emails - rate overlimit = 83.6 / 1h",
    source: "https://github.com/hestiacp/hestiacp/issues/2666",
    cause: "account",
  },
  {
    // cPanel. The report omits 550, Exim's code for a router's :fail:.
    stage: "recipient",
    reply:
      "550 Domain example.com has exceeded the max defers and failures per hour (5/5 (38%)) allowed. Message discarded.",
    source:
      "https://www.thiswebhost.com/clients/knowledgebase/554/I-am-receiving-an-error-sending-e-mail.html",
    cause: "account",
  },
  {
    stage: "message",
    reply:
      "550 5.7.1 [CSR] Our system has detected an unusual amount of unsolicited email originating from your address",
    source:
      "https://www.thiswebhost.com/clients/knowledgebase/554/I-am-receiving-an-error-sending-e-mail.html",
    cause: "account",
    classifiedAs: "message",
  },
];

const SENDMAIL_AND_QMAIL: readonly PublicReply[] = [
  {
    stage: "sender",
    reply: "452 4.4.5 Insufficient disk space; try again later",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-sendmail-39.eml`,
    cause: "server",
  },
  {
    stage: "sender",
    reply: "452 4.3.2 Connection rate limit exceeded.",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-postfix-09.eml`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "sender",
    reply: "550 5.7.1 Relaying denied. IP name lookup failed [192.0.2.7]",
    authenticated: false,
    source: `${BOUNCES}/mailbox/mbox-0`,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "450 4.7.1 Access denied. IP name lookup failed [192.0.2.7]",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-sendmail-08.eml`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "greeting",
    reply: "421 unable to read controls (#4.3.0)",
    source: QMAIL,
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "553 sorry, your envelope sender is in my badmailfrom list (#5.7.1)",
    source: QMAIL,
    cause: "settings",
    classifiedAs: "message",
  },
  {
    stage: "recipient",
    reply: "553 sorry, your envelope recipient is in my badrcptto list (#5.7.1)",
    authenticated: false,
    source: `${BOUNCES}/mailbox/mbox-0`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    // By this provider's page, the recipient's mailbox is over quota; by qmail, its own queue fails.
    stage: "message",
    reply: "451 qq trouble in home directory (#4.3.0)",
    authenticated: false,
    source: "https://support.onesystems.ch/722126-%C3%9Cbersicht-h%C3%A4ufig-vorkommender-Fehlermeldungen",
    cause: "message",
    classifiedAs: "server",
  },
  {
    stage: "message",
    reply: "451 See https://cr.yp.to/docs/smtplf.html.",
    source: QMAIL,
    cause: "message",
    classifiedAs: "server",
  },
];

const OPENSMTPD_AND_HARAKA: readonly PublicReply[] = [
  {
    stage: "sender",
    reply: "530 5.5.1 Invalid command: Must issue an AUTH command first",
    authenticated: false,
    source: OPENSMTPD,
    cause: "settings",
  },
  {
    // It says recipients, and means the messages of this connection.
    stage: "sender",
    reply: "452 4.5.3 Too many recipients: Too many messages sent",
    source: OPENSMTPD,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "recipient",
    reply: "524 5.2.4 Mailing list expansion problem",
    source: "https://github.com/OpenSMTPD/OpenSMTPD/blob/HEAD/usr.sbin/smtpd/lka_session.c",
    cause: "message",
    isFinal: true,
  },
  {
    stage: "message",
    reply: "550 message rejected",
    source: "https://github.com/Excision-Mail/Excision-Mail/issues/54",
    cause: "message",
  },
  {
    stage: "greeting",
    reply: "421 Too busy; please try again later",
    source: `${HARAKA}/plugins/toobusy.js`,
    cause: "server",
  },
  {
    stage: "sender",
    reply: "550 Envelope domain 'example.com' doesn't match AUTH domain 'example.net'",
    source: `${HARAKA}/plugins/auth/auth_base.js`,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 Authentication required",
    authenticated: false,
    source: `${HARAKA}/connection.js`,
    cause: "settings",
  },
  {
    // Relaying without authentication, although only the recipient is named.
    stage: "recipient",
    reply: "550 I cannot deliver mail for <to@example.org>",
    authenticated: false,
    source: `${HARAKA}/connection.js`,
    cause: "settings",
  },
];

const STALWART_AND_KUMOMTA: readonly PublicReply[] = [
  {
    stage: "greeting",
    reply: "550 5.5.0 Invalid EHLO domain.",
    source: `${STALWART}/ehlo.rs`,
    cause: "server",
  },
  {
    stage: "authentication",
    reply: "455 4.3.0 Too many authentication errors, disconnecting.",
    source: `${STALWART}/auth.rs`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "authentication",
    reply: "554 5.7.8 Authentication mechanism not supported.",
    source: `${STALWART}/session.rs`,
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "535 5.7.8 OAuth token expired.",
    source: `${STALWART}/auth.rs`,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "503 5.5.1 You must authenticate first.",
    authenticated: false,
    source: `${STALWART}/mail.rs`,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "501 5.5.4 You are not allowed to send from this address.",
    source: `${STALWART}/mail.rs`,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 5.7.1 Sender address not allowed.",
    source: `${STALWART}/mail.rs`,
    cause: "settings",
  },
  {
    // 4.4.5 without a limit per session.
    stage: "sender",
    reply: "452 4.4.5 Rate limit exceeded, try again later.",
    source: `${STALWART}/mail.rs`,
    cause: "account",
  },
  {
    // 5.1.2 although relaying without authentication is refused.
    stage: "recipient",
    reply: "550 5.1.2 Relay not allowed.",
    authenticated: false,
    source: `${STALWART}/rcpt.rs`,
    cause: "settings",
    classifiedAs: "message",
  },
  {
    stage: "recipient",
    reply: "550 5.1.2 Mailbox does not exist.",
    source: `${STALWART}/rcpt.rs`,
    cause: "message",
    isFinal: true,
  },
  {
    stage: "recipient",
    reply: "451 4.4.3 Unable to verify address at this time.",
    source: `${STALWART}/rcpt.rs`,
    cause: "server",
  },
  {
    stage: "message",
    reply: "452 4.3.1 Mail system full, try again later.",
    source: `${STALWART}/data.rs`,
    cause: "server",
  },
  {
    stage: "greeting",
    reply: "421 4.3.2 mail.example.net too many concurrent sessions. Try later",
    source: KUMOMTA,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "authentication",
    reply: "524 5.7.11 AUTH PLAIN requires an encrypted channel",
    source: KUMOMTA,
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "504 5.5.4 AUTH LOGIN not supported",
    source: KUMOMTA,
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "550 5.7.1 relaying not permitted for 192.0.2.7:41234",
    authenticated: false,
    source: KUMOMTA,
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "421 4.5.3 mail.example.net too many recipients on this connection",
    source: KUMOMTA,
    cause: "server",
  },
  {
    stage: "message",
    reply: "451 4.4.5 data_processing_timeout exceeded (spool)",
    source: KUMOMTA,
    cause: "server",
  },
];

const OTHER_SOFTWARE: readonly PublicReply[] = [
  {
    stage: "authentication",
    reply: "535 Denied",
    source: POSTAL,
    cause: "settings",
  },
  {
    // 535 at RCPT.
    stage: "recipient",
    reply: "535 Mail server has been suspended",
    source: POSTAL,
    cause: "account",
    classifiedAs: "message",
  },
  {
    stage: "sender",
    reply: "553 5.7.0 Unauthorized use of sender address",
    source: "https://github.com/foxcpp/maddy/blob/HEAD/internal/check/authorize_sender/authorize_sender.go",
    cause: "settings",
  },
  {
    stage: "greeting",
    reply: "421 4.7.0 connection rate from your ip or network too high, slow down please",
    source: MOX,
    cause: "server",
  },
  {
    stage: "message",
    reply:
      "451 4.7.1 max number of messages (1000) over past 24h reached, try increasing per-account setting MaxOutgoingMessagesPerDay (5nvOJJs8aE0zNNF2yVHqJg)",
    source: MOX,
    cause: "account",
    classifiedAs: "server",
  },
  {
    stage: "recipient",
    reply:
      "450 4.7.1 <from@example.com>: Sender address rejected: Deferring: Too many messages from sender in last 60",
    source:
      "https://itecnotes.com/server/zimbra-8-04-policyd-message-quota-is-been-counted-by-count-of-recipients",
    cause: "account",
  },
  {
    // Plesk.
    stage: "message",
    reply:
      "554 5.7.0 Your message could not be sent. The limit on the number of allowed outgoing messages was exceeded. Try again later.",
    source: "https://github.com/zotonic/zotonic/issues/3508",
    cause: "account",
  },
  {
    // SmarterMail.
    stage: "recipient",
    reply: "550 Authentication is required for relay",
    authenticated: false,
    source: "https://www.aspnethosting.co.uk/knowledgebase.php?action=displayarticle&id=185",
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 From domain must match authenticated domain",
    source: "https://www.aspnethosting.co.uk/knowledgebase.php?action=displayarticle&id=185",
    cause: "settings",
  },
];

const GREYLISTING: readonly PublicReply[] = [
  {
    stage: "recipient",
    reply: "451 4.7.1 Greylisting in action, please come back in 00:05:00",
    authenticated: false,
    source: "https://github.com/kou/milter-greylist/blob/HEAD/milter-greylist.c",
    cause: "message",
    classifiedAs: "server",
  },
  {
    // Debian's greylistd with Exim.
    stage: "recipient",
    reply:
      "451 192.0.2.7 is not yet authorized to deliver mail from <from@example.com> to <to@example.org>. Please try later.",
    authenticated: false,
    source: "https://github.com/reacherhq/check-if-email-exists",
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply:
      "450 4.2.0 <to@example.org>: Recipient address rejected: example.com greylisted for 60 seconds by ZEROSPAM",
    authenticated: false,
    source: `${FIELD_MANUAL}/450.json`,
    cause: "message",
    classifiedAs: "server",
  },
];

const MICROSOFT_REPLIES: readonly PublicReply[] = [
  // Exchange on premises.
  {
    stage: "sender",
    reply: "530 5.7.1 Client was not authenticated",
    authenticated: false,
    source: EXCHANGE_TELNET,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "554 5.1.0 Sender Denied",
    source:
      "https://learn.microsoft.com/exchange/antispam-and-antimalware/antispam-protection/sender-filtering",
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "550 5.7.1 Client does not have permissions to send as this sender",
    source: "https://github.com/nodemailer/nodemailer/issues/145",
    cause: "settings",
  },
  {
    // The wrong host: only the recipient is named.
    stage: "recipient",
    reply: "550 5.7.1 Unable to relay for to@example.org",
    authenticated: false,
    source: "https://github.com/nodemailer/nodemailer/issues/386",
    cause: "settings",
  },
  // Exchange Online: sessions.
  {
    stage: "greeting",
    reply:
      "421 4.3.2 The maximum number of concurrent connections per resource forest has exceeded a limit, closing transmission channel. mail.example.net. PRX8 [AM5PR0701CA0008.eurprd07.prod.outlook.com]",
    host: "smtp.office365.com",
    source: `${FIELD_MANUAL}/421.json`,
    cause: "server",
  },
  {
    stage: "authentication",
    reply: "421 4.3.2 Service not active [TYAPR01CA0229.jpnprd01.prod.outlook.com]",
    host: "smtp.office365.com",
    source: "https://github.com/jstedfast/MailKit/issues/1106",
    cause: "server",
  },
  {
    // Reported for minutes, and for months of one account.
    stage: "authentication",
    reply:
      "451 4.7.0 Temporary server error. Please try again later. PRX4 [AM5PR0701CA0008.eurprd07.prod.outlook.com]",
    host: "smtp.office365.com",
    source: "https://github.com/jstedfast/MailKit/issues/566",
    cause: "server",
  },
  {
    stage: "sender",
    reply: "452 4.3.1 Insufficient system resources (TSTE) [AM5PR0701CA0008.eurprd07.prod.outlook.com]",
    host: "smtp.office365.com",
    source: `${FIELD_MANUAL}/452.json`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply:
      "451 4.7.500 Server busy. Please try again later from [192.0.2.7]. (AS77712344) [DB5EUR03FT012.eop-EUR03.prod.protection.outlook.com]",
    authenticated: false,
    source: `${FIELD_MANUAL}/451.json`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "sender",
    reply:
      "550 5.7.1 Unfortunately, messages from [192.0.2.7] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150). You can also refer your provider to http://mail.live.com/mail/troubleshooting.aspx#errors. [BN8NAM12FT064.eop-nam12.prod.protection.outlook.com]",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply: "550 5.7.708 Access denied, traffic not accepted from this IP",
    host: "smtp.office365.com",
    source:
      "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online/fix-error-code-5-7-700-through-5-7-750",
    cause: "server",
    classifiedAs: "account",
  },
  // Exchange Online and Outlook.com: account and settings.
  {
    stage: "message",
    reply: "550 5.7.750 Service unavailable. Client blocked from sending from unregistered domains",
    host: "smtp.office365.com",
    source: EXCHANGE_REPORTS,
    cause: "settings",
    classifiedAs: "account",
  },
  {
    // 5.1.90 is not 5.1.9.
    stage: "message",
    reply:
      "550 5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
    host: "smtp.office365.com",
    source: "https://github.com/MicrosoftDocs/OfficeDocs-Exchange/issues/2729",
    cause: "account",
  },
  {
    // The account is new and not verified.
    stage: "message",
    reply:
      "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is not None. Actual verdict is RefuseQuota, ShowTierUpgrade. OutboundSpamException: WASCL UserAction verdict is not None. Actual verdict is RefuseQuota, ShowTierUpgrade. [Hostname=VI1PR05MB5405.eurprd05.prod.outlook.com]",
    host: "smtp-mail.outlook.com",
    source: "https://github.com/Youans/nodejs-nodemailer-outlook/issues/11",
    cause: "account",
  },
  {
    // 5.3.4 elsewhere is the message's size.
    stage: "message",
    reply:
      "550 5.3.4 Requested action not taken; To continue sending messages, please sign in to your account.",
    host: "smtp-mail.outlook.com",
    source: "https://github.com/nodemailer/smtp-connection/issues/37",
    cause: "account",
    classifiedAs: "message",
    isGivenUp: true,
  },
  {
    // 5.3.4 again.
    stage: "message",
    reply:
      "550 5.3.4 554 5.2.0 STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message. 16.55847:69000000, 17.43559:0000000048010000000",
    host: "smtp-mail.outlook.com",
    source: "https://github.com/nodemailer/nodemailer/issues/748",
    cause: "settings",
    classifiedAs: "message",
  },
  {
    stage: "message",
    reply:
      "550 5.7.515 Access denied, sending domain example.com does not meet the required authentication level.",
    authenticated: false,
    source: `${SMTP_CODES}/550.json`,
    cause: "settings",
  },
  {
    stage: "message",
    reply:
      "550 5.7.509 Access denied, sending domain [EXAMPLE.COM] does not pass DMARC verification and has a DMARC policy of reject. [7FQL1BDY0XZ5XGTW.JPNP222.PROD.OUTLOOK.COM 2024-04-29T23:34:45.000Z NG5X6YLY2QZK8T7B]",
    authenticated: false,
    source: EXCHANGE_REPORTS,
    cause: "settings",
  },
  // Exchange Online: recipients and content.
  {
    // The recipient takes no mail from outside its organization. The session has authenticated.
    stage: "message",
    reply: "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required",
    source: `${BOUNCES}/maildir/bsd/lhost-exchange2007-04.eml`,
    cause: "message",
  },
  {
    stage: "message",
    reply: "550 5.7.124 Sender not in allowed-senders list",
    host: "smtp.office365.com",
    source: EXCHANGE_REPORTS,
    cause: "message",
    isFinal: true,
  },
  {
    stage: "recipient",
    reply:
      "550 5.4.1 [to@example.org]: Recipient address rejected: Access denied [BN8NAM12FT064.eop-nam12.prod.protection.outlook.com]",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550 5.7.513 Service unavailable, Client host [192.0.2.7] blocked by example.org using Customer Block list (AS16012607)",
    authenticated: false,
    source: EXCHANGE_REPORTS,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "550 5.1.351 Remote server returned unknown recipient or mailbox unavailable -> 550 Unknown user to@example.org",
    host: "smtp.office365.com",
    source: `${BOUNCES}/maildir/bsd/lhost-office365-09.eml`,
    cause: "message",
    isFinal: true,
  },
  {
    // 432 4.3.2, as for the sender's connections.
    stage: "message",
    reply: "432 4.3.2 STOREDRV.Deliver; recipient thread limit exceeded",
    host: "smtp.office365.com",
    source: EXCHANGE_REPORTS,
    cause: "message",
    classifiedAs: "account",
  },
  {
    // 5.2.x, but Microsoft advises to try again later.
    stage: "message",
    reply:
      "554 5.2.121 The sender has exceeded the limit for the number of messages they can send to this recipient per hour. For more information go to http://go.microsoft.com/fwlink/?LinkId=526653. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    host: "smtp.office365.com",
    source: `${FIELD_MANUAL}/554.json`,
    cause: "message",
    classifiedAs: "account",
  },
  {
    stage: "message",
    reply:
      "554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour. For more information go to http://go.microsoft.com/fwlink/?LinkId=526653. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
    host: "smtp.office365.com",
    source: `${FIELD_MANUAL}/554.json`,
    cause: "message",
    classifiedAs: "account",
  },
  {
    stage: "message",
    reply: "550 5.7.1 TRANSPORT.RULES.RejectMessage; the message was rejected by organization policy",
    host: "smtp.office365.com",
    source: `${SMTP_CODES}/550.json`,
    cause: "message",
  },
];

const GOOGLE_REPLIES: readonly PublicReply[] = [
  {
    stage: "greeting",
    reply: "421 4.4.5 Server busy, try again later. - gsmtp",
    host: "smtp.gmail.com",
    source: GMAIL_CODES,
    cause: "server",
  },
  {
    stage: "authentication",
    reply: "454 4.7.0 Cannot authenticate due to temporary system problem. Try again later. - gsmtp",
    host: "smtp.gmail.com",
    source: GMAIL_CODES,
    cause: "server",
  },
  {
    // 4.2.1 elsewhere is the recipient's mailbox.
    stage: "message",
    reply:
      "450 4.2.1 Peak SMTP relay limit exceeded for this customer. This is a temporary error. For more information on SMTP relay limits, please contact your administrator. - gsmtp",
    host: "smtp-relay.gmail.com",
    source: GMAIL_CODES,
    cause: "account",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply: "550 5.7.1 Email quota exceeded. - gsmtp",
    host: "smtp.gmail.com",
    source: GMAIL_CODES,
    cause: "account",
  },
  {
    stage: "recipient",
    reply:
      "553 5.1.2 We weren't able to find the recipient domain. Please check for any spelling errors, and make sure you didn't enter any spaces, periods, or other punctuation after the recipient's email address. - gsmtp",
    host: "smtp.gmail.com",
    source: GMAIL_CODES,
    cause: "message",
    isFinal: true,
  },
  {
    // The recipient's organization admits certain IP addresses only.
    stage: "recipient",
    reply: "421 4.7.0 IP not in whitelist for RCPT domain, closing connection. - gsmtp",
    authenticated: false,
    source: GMAIL_CODES,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550 5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered. For more information, please visit https://support.google.com/mail/?p=ReceivingRatePerm - gsmtp",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
  },
  {
    stage: "message",
    reply:
      "421-4.7.28 Gmail has detected an unusual rate of unsolicited mail. To protect\r\n421-4.7.28 our users from spam, mail has been temporarily rate limited. For\r\n421-4.7.28 more information, go to\r\n421-4.7.28  https://support.google.com/mail/?p=UnsolicitedRateLimitError to\r\n421 4.7.28 review our Bulk Email Senders Guidelines. af79cd13be357-7e67f73162esi193804885a.983 - gsmtp",
    authenticated: false,
    source: "https://support.google.com/mail/?p=UnsolicitedRateLimitError",
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "550 5.7.1 Unauthenticated email from example.com is not accepted due to domain's DMARC policy. Please contact the administrator of example.com domain if this was a legitimate mail. Please visit https://support.google.com/mail/answer/2451690 to learn about the DMARC initiative. - gsmtp",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "settings",
  },
  {
    stage: "message",
    reply:
      "552-5.7.0 This message was blocked because its content presents a potential\r\n552-5.7.0 security issue. Please visit\r\n552-5.7.0  https://support.google.com/mail/answer/6590 to review our message\r\n552 5.7.0 content and attachment content guidelines. p4si4011367igr.94 - gsmtp",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-sendmail-31.eml`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "550 5.7.1 This message violates example.com email policy. - gcdp a640c23a62f3a-8b1f21d5c2asi1234 - gsmtp",
    host: "smtp.gmail.com",
    source: GMAIL_CODES,
    cause: "message",
  },
];

const AMAZON_SES_REPLIES: readonly PublicReply[] = [
  {
    stage: "greeting",
    reply: "421 Too many concurrent SMTP connections",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: SES_SMTP,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "authentication",
    reply: "535 Account not subscribed to SES",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: SES_SMTP,
    cause: "account",
    classifiedAs: "settings",
  },
  {
    stage: "sender",
    reply: "421 Connection closed by server. Maximum message count per session reached.",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: "https://github.com/knadh/listmonk/issues/2683",
    cause: "server",
  },
  {
    stage: "sender",
    reply: "451 4.4.2 Timeout waiting for data from client.",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: "https://github.com/knadh/listmonk/issues/1624",
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "553 <to@example.org> address unknown",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: SES_SMTP,
    cause: "message",
    isFinal: true,
  },
  {
    stage: "message",
    reply: "451 Temporary service failure",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: SES_SMTP,
    cause: "server",
  },
  {
    // SMTP credentials of before 2019 have a rate of their own.
    stage: "message",
    reply: "454 Throttling failure: Maximum SigV2 SMTP sending rate exceeded.",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html",
    cause: "account",
  },
  {
    stage: "message",
    reply:
      "554 Message rejected: Email address is not verified. The following identities failed the check in region US-EAST-1: from@example.com, to@example.org",
    host: "email-smtp.us-east-1.amazonaws.com",
    source: SES_SMTP,
    cause: "settings",
  },
  {
    stage: "message",
    reply: "552 Message is too long.",
    host: "email-smtp.eu-west-1.amazonaws.com",
    source: SES_SMTP,
    cause: "message",
  },
];

const OTHER_RELAYS: readonly PublicReply[] = [
  // SendGrid.
  {
    stage: "authentication",
    reply: "535 Authentication failed: Basic authentication is not allowed with 2FA enabled",
    host: "smtp.sendgrid.net",
    source:
      "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/upgrade-your-authentication-method-to-api-keys",
    cause: "settings",
  },
  {
    // A code of HTTP, and a temporary one of SMTP.
    stage: "message",
    reply: "403 You are not authorized to send from that email address",
    host: "smtp.sendgrid.net",
    source:
      "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting",
    cause: "settings",
  },
  // Mailgun.
  {
    // In reply to DATA, and only until the time that it names.
    stage: "message",
    reply:
      "421 Domain example.com is not allowed to send: recipient limit exceeded, try again after Sun, 05 Oct 2025 19:22:44 UTC",
    host: "smtp.mailgun.org",
    source: "https://github.com/coopdevs/timeoverflow/issues/820",
    cause: "account",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "554 Your account is on probation and domains are limited to 100 messages / hour. Account will be enabled in 341 seconds",
    host: "smtp.mailgun.org",
    source: "https://github.com/pivorakmeetup/pivorak-web-app/issues/711",
    cause: "account",
  },
  // SparkPost.
  {
    stage: "sender",
    reply: "501 5.5.2 syntax error MAIL FROM",
    host: "smtp.sparkpostmail.com",
    source: "https://github.com/UserApplePie/UserApplePie-v4/issues/47",
    cause: "settings",
    classifiedAs: "server",
  },
  {
    stage: "recipient",
    reply: "501 5.5.2 RCPT TO syntax error",
    host: "smtp.sparkpostmail.com",
    source: "https://github.com/helpyio/helpy/issues/347",
    cause: "message",
  },
  {
    stage: "message",
    reply: "550 5.6.0 JSON parsing error in X-MSYS-API",
    host: "smtp.sparkpostmail.com",
    source: "https://support.sparkpost.com/docs/faq/error-messages-smtp",
    cause: "message",
    isFinal: true,
  },
  // SMTP2GO.
  {
    stage: "recipient",
    reply: "550 Relay access denied - please authenticate",
    host: "mail.smtp2go.com",
    authenticated: false,
    source: "https://support.smtp2go.com/hc/en-gb/articles/13990494697369-Common-Sending-Errors",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "550 From header sender domain not verified",
    host: "mail.smtp2go.com",
    source: "https://support.smtp2go.com/hc/en-gb/articles/13990494697369-Common-Sending-Errors",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "552 Your account has been suspended. Please contact us to reactivate",
    host: "mail.smtp2go.com",
    source: "https://github.com/gophish/gophish/issues/720",
    cause: "account",
  },
  // MailerSend.
  {
    // Five messages per connection.
    stage: "sender",
    reply: "421 Service not available, closing transmission channel.",
    host: "smtp.mailersend.net",
    source: "https://github.com/knadh/listmonk/issues/1518",
    cause: "server",
  },
  {
    stage: "message",
    reply: "450 Your account reached its email quota limit. Contact support to increase it. #MS42204",
    host: "smtp.mailersend.net",
    source: "https://github.com/geeksforsocialchange/PlaceCal/issues/2297",
    cause: "account",
  },
  // Emailit.
  {
    // 4.4.5 without a limit per session.
    stage: "sender",
    reply: "452 4.4.5 Messages per second limit exceeded",
    host: "smtp.emailit.com",
    source: EMAILIT,
    cause: "account",
  },
  {
    // 530 after DATA, from a session that has authenticated.
    stage: "message",
    reply: "530 From/Sender domain is not verified for this workspace. From: from@example.com",
    host: "smtp.emailit.com",
    source: "https://emailit.com/docs/kb/smtp-530-from-domain-not-verified/",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "550 Sending from this domain is paused",
    host: "smtp.emailit.com",
    source: "https://emailit.com/docs/kb/smtp-530-from-domain-not-verified/",
    cause: "account",
  },
  // Oracle Email Delivery.
  {
    stage: "authentication",
    reply: "421 Too many auth failures, try again later",
    host: "smtp.email.eu-frankfurt-1.oci.oraclecloud.com",
    source: ORACLE,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "authentication",
    reply: "501 Invalid command argument, not a valid Base64 string",
    host: "smtp.email.eu-frankfurt-1.oci.oraclecloud.com",
    source: ORACLE,
    cause: "settings",
  },
  {
    stage: "message",
    reply: "455 Maximum messages sent per day reached : limit is 2000",
    host: "smtp.email.eu-frankfurt-1.oci.oraclecloud.com",
    source: ORACLE,
    cause: "account",
  },
  // Plunk, Elastic Email, MailChannels.
  {
    stage: "sender",
    reply: "550 This domain is not associated with your account",
    host: "smtp.useplunk.com",
    source: "https://github.com/useplunk/plunk/issues/164",
    cause: "settings",
  },
  {
    // The sender was a name, not an address.
    stage: "sender",
    reply: "553 Invalid address specified",
    host: "smtp.elasticemail.com",
    source: "https://github.com/toeverything/AFFiNE/issues/13751",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "550 5.7.1 [BFD] Sender prohibited by SPF",
    host: "smtp.mailchannels.net",
    source: "https://github.com/justingit/dada-mail/issues/717",
    cause: "settings",
  },
];

const MAILBOX_PROVIDERS: readonly PublicReply[] = [
  // Zoho.
  {
    stage: "message",
    reply: "553 Relaying disallowed as @",
    host: "smtp.zoho.eu",
    source: "https://github.com/mattermost/mattermost/issues/13224",
    cause: "settings",
  },
  {
    stage: "message",
    reply: "554 5.7.1 Email cannot be delivered. Reason: Email flagged as Spam.",
    host: "smtp.zoho.com",
    source: `${FIELD_MANUAL}/554.json`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply: "541 5.4.1 Mail rejected by destination domain",
    authenticated: false,
    source: `${FIELD_MANUAL}/451.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  // Yandex.
  {
    stage: "authentication",
    reply:
      "530 5.7.7 Email sending without SSL/TLS encryption is not allowed. Please see: http://help.yandex.ru/mail/mail-clients/ssl.xml",
    host: "smtp.yandex.ru",
    source: "https://github.com/PHPMailer/PHPMailer/issues/283",
    cause: "settings",
  },
  {
    stage: "authentication",
    reply: "502 5.5.2 Syntax error, command unrecognized.",
    host: "smtp.yandex.ru",
    source: "https://github.com/sandstorm-io/sandstorm/issues/2876",
    cause: "settings",
  },
  {
    // Somebody's rate limit, and not the sender's.
    stage: "recipient",
    reply: "450 4.2.1 The recipient has exceeded message rate limit. Try again later.",
    host: "smtp.yandex.com",
    source: `${FIELD_MANUAL}/450.json`,
    cause: "message",
  },
  {
    stage: "recipient",
    reply: "451 4.7.1 Sorry, the service is currently unavailable. Please come back later.",
    host: "smtp.yandex.com",
    source: `${FIELD_MANUAL}/451.json`,
    cause: "server",
  },
  {
    // The report says that the account is blocked for 24 hours; the text speaks of the message.
    stage: "message",
    reply:
      "554 5.7.1 [2] Message rejected under suspicion of SPAM; https://ya.cc/1IrBc 1631900360-h4Ajl35YEe-dK78OYi4",
    host: "smtp.yandex.com",
    source: "https://github.com/chatmail/provider-db/issues/205",
    cause: "message",
  },
  // Mail.ru.
  {
    stage: "sender",
    reply: "550 not local sender over smtp",
    host: "smtp.mail.ru",
    source: "https://github.com/nitinsh06/Django-Verify-Email/issues/35",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550 Message was not accepted -- invalid mailbox. Local mailbox to@example.org is unavailable: account is disabled",
    host: "smtp.mail.ru",
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    classifiedAs: "account",
  },
  {
    stage: "message",
    reply:
      "550 spam message rejected. Please visit http://help.mail.ru/notspam-support/id?c=7y4ytdHbuOGv3O50NYTwpz1F-TVIpnactxtFPeFQSDYMAAAAaKgAAOX_3hE~ or report details to abuse@corp.mail.ru. Error code: 9C9B. ID: 0000",
    host: "smtp.mail.ru",
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
  },
  // QQ.
  {
    stage: "sender",
    reply: "501 Mail from address must be same as authorization user.",
    host: "smtp.qq.com",
    source: "https://github.com/JoeSchmuck/Multi-Report/issues/27",
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "550 Mailbox unavailable or access denied",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "550 Connection frequency limited [Q1YzZ3kxdnRYYnpkbVZ0MAo+QTMzMTMzRjUxNzQ4Cg/MTI3MTY2MDge= Blocked IP 192.0.2.7]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000722",
    host: "smtp.qq.com",
    source: `${BOUNCES}/maildir/bsd/rhost-tencent-02.eml`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "message",
    reply:
      "550 Ip frequency limited [V2VkIEFwciAgMyAxNjozNjo1OSBKU1QgMjAxOQo=/RkNGMjlFQTVEQ0E Blocked IP 192.0.2.7]. http://service.mail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000725",
    host: "smtp.qq.com",
    source: `${BOUNCES}/maildir/bsd/rhost-tencent-01.eml`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "message",
    reply:
      "550 Mail content denied. http://service.exmail.qq.com/cgi-bin/help?subtype=1&&id=20022&&no=1000726",
    host: "smtp.exmail.qq.com",
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
  },
  // 163 and 126. Their list of codes gives the first words only.
  {
    stage: "authentication",
    reply: "451 Requested mail action not taken: too much fail authentication",
    host: "smtp.163.com",
    source: NETEASE,
    cause: "server",
    classifiedAs: "account",
  },
  {
    // Messages per connection.
    stage: "sender",
    reply: "450 MI:DMC",
    host: "smtp.163.com",
    source: NETEASE,
    cause: "server",
  },
  {
    // Messages in 15 minutes.
    stage: "sender",
    reply: "451 MI:SFQ",
    host: "smtp.163.com",
    source: NETEASE,
    cause: "account",
  },
  {
    stage: "message",
    reply:
      "554 DT:SPM 126 smtp10,NuRpCgC3LP0tp3VdPt4LMQ--.5577S2 1567991603,please see http://mail.163.com/help/help_spam_16.htm?ip=192.0.2.7&hostid=smtp10&time=1567991603",
    host: "smtp.126.com",
    source: "https://github.com/kootenpv/yagmail/issues/144",
    cause: "message",
  },
  // Alibaba Mail.
  {
    stage: "authentication",
    reply: "526 Authentication failure[0]",
    host: "smtp.qiye.aliyun.com",
    source: "https://github.com/alibaba/canal/issues/554",
    cause: "settings",
  },
  {
    // Too many failed logins.
    stage: "authentication",
    reply: "526 Authentication failure[1]",
    host: "smtp.qiye.aliyun.com",
    source: ALIYUN,
    cause: "account",
    classifiedAs: "settings",
  },
  {
    // A temporary code for settings that cannot work.
    stage: "sender",
    reply: "440 mail from account doesn't conform with authentication",
    host: "smtp.qiye.aliyun.com",
    source: ALIYUN,
    cause: "settings",
  },
  {
    stage: "sender",
    reply: "541 This account isn't allowed to send email",
    host: "smtp.qiye.aliyun.com",
    source: ALIYUN,
    cause: "account",
    classifiedAs: "server",
  },
  {
    stage: "message",
    reply: "454 Transient reject by behaviour spam",
    host: "smtp.qiye.aliyun.com",
    source: ALIYUN,
    cause: "account",
    classifiedAs: "message",
  },
  {
    stage: "message",
    reply: "554 Reject by behaviour spam",
    host: "smtp.qiye.aliyun.com",
    source: ALIYUN,
    cause: "account",
    classifiedAs: "message",
  },
  // GMX, WEB.DE, IONOS, Strato.
  {
    stage: "greeting",
    reply:
      "554-gmx.net (mxgmx008) Nemesis ESMTP Service not available\r\n554-No SMTP service\r\n554-Bad DNS PTR resource record.\r\n554 For explanation visit http://postmaster.gmx.com/en/error-messages?ip=192.0.2.7&c=rdns",
    source: "https://github.com/OpenSMTPD/OpenSMTPD/issues/446",
    cause: "server",
  },
  {
    // Too many messages: the same ones are accepted half an hour later.
    stage: "recipient",
    reply:
      "550-Requested action not taken: mailbox unavailable\r\n550 Failure sending mail. Try again later.",
    host: "mail.gmx.net",
    source: "https://github.com/nodemailer/nodemailer/issues/1555",
    cause: "account",
    classifiedAs: "message",
  },
  {
    // c=hi: a header is invalid.
    stage: "message",
    reply:
      "554-Transaction failed\r\n554-Reject due to policy restrictions.\r\n554 For explanation visit https://www.gmx.net/mail/senderguidelines?ip=192.0.2.7&c=hi",
    authenticated: false,
    source: "https://github.com/nextcloud/mail/issues/6497",
    cause: "message",
    classifiedAs: "settings",
  },
  {
    // c=hd: the header Date.
    stage: "message",
    reply:
      "554-Transaction failed\r\n554-Reject due to policy restrictions.\r\n554 For explanation visit https://www.ionos.com/help/index.php?id=2425&ip=192.0.2.7&c=hd",
    host: "smtp.ionos.com",
    source: "https://github.com/homematic-community/hm_email/issues/13",
    cause: "message",
    classifiedAs: "server",
  },
  {
    // Cut off after "limit" in the report; engelsystem/engelsystem issue 1107 has the rest.
    stage: "sender",
    reply: "451-Requested action aborted\r\n451 Mails per session limit exceeded.",
    host: "smtp.ionos.de",
    source: "https://github.com/terminal42/contao-notification_center/issues/226",
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "sender",
    reply: "550 Forbidden domain 'example.com' in Envelope-From (B-EFROM-STRATO)",
    host: "smtp.strato.de",
    source: "https://www.strato-hosting.co.uk/faq/product/why-are-my-emails-not-being-delivered",
    cause: "settings",
  },
  // Aruba, Migadu, StartMail, Posteo, Fastmail.
  {
    // Aruba: many recipients have reported such messages as spam.
    stage: "message",
    reply: "552 5.2.0 igxL1p00E1WDM2s01gxMXG spam detected",
    host: "smtps.aruba.it",
    source:
      "https://guide.arubabusiness.it/email/configurazioni-email-arubabusiness/errori-comuni-invio-ricezione-posta",
    cause: "message",
    isFinal: true,
  },
  {
    stage: "message",
    reply: "554 5.7.1 Reached address outgoing limits for <from@example.com>",
    host: "smtp.migadu.com",
    source: "https://github.com/freescout-help-desk/freescout/issues/4005",
    cause: "account",
  },
  {
    stage: "message",
    reply: "550 5.7.1 Your mail limit has been reached.",
    host: "smtp.startmail.com",
    source: "https://support.startmail.com/hc/de/articles/360006737337-Gesendet-empfangen-Limit",
    cause: "account",
  },
  {
    stage: "message",
    reply: "550 5.7.1 message content rejected",
    host: "posteo.de",
    source: "https://github.com/mandarons/icloud-docker/issues/163",
    cause: "message",
  },
  {
    // The display name was an address.
    stage: "message",
    reply: "551 5.7.1 Multiple addresses in a From header is not allowed",
    host: "smtp.fastmail.com",
    source: "https://github.com/mealie-recipes/mealie/issues/1887",
    cause: "settings",
  },
  // Proton.
  {
    // A temporary code for settings that cannot work.
    stage: "sender",
    reply: "451 4.0.0 backend: invalid return path: not owned by user",
    source: "https://github.com/ProtonMail/proton-bridge/issues/280",
    cause: "settings",
    classifiedAs: "server",
  },
  {
    stage: "message",
    reply:
      "554 5.0.0 Error: The account is not available in Bridge. Verify the outgoing server settings in your mail client and try again",
    source: "https://github.com/frappe/frappe/issues/41429",
    cause: "settings",
    classifiedAs: "message",
  },
  {
    stage: "recipient",
    reply: "550 5.5.1 Protocol error",
    authenticated: false,
    source: "https://github.com/jeremydumais/CPP-SMTPClient-library/issues/57",
    cause: "server",
    classifiedAs: "settings",
  },
  // iCloud.
  {
    stage: "sender",
    reply: "451 4.7.1 Service unavailable - try again later",
    host: "smtp.mail.me.com",
    source: `${FIELD_MANUAL}/451.json`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply:
      "421 4.7.1 Messages to to@example.org deferred due to excessive volume. Try again later - https://support.apple.com/en-us/HT204137",
    authenticated: false,
    source: `${FIELD_MANUAL}/421.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  // Yahoo.
  {
    stage: "sender",
    reply: "421 Max message per connection reached, closing transmission channel",
    host: "smtp.mail.yahoo.com",
    source: `${FIELD_MANUAL}/421.json`,
    cause: "server",
  },
  {
    stage: "sender",
    reply:
      "553 5.7.2 [TSS06] All messages from 192.0.2.7 will be permanently deferred; Retrying will NOT succeed. See https://help.yahoo.com/kb/postmaster/SLN3436.html",
    authenticated: false,
    source: "https://github.com/hardware/mailserver/issues/202",
    cause: "server",
    classifiedAs: "settings",
  },
  {
    // From was not the account's address.
    stage: "sender",
    reply: "550 Request failed; Mailbox unavailable",
    host: "smtp.mail.yahoo.com",
    source: "https://github.com/mattermost/mattermost/issues/13652",
    cause: "settings",
  },
  {
    // Not a code of RFC 3463. The message had no header From.
    stage: "message",
    reply: "554 6.6.0 Error sending message for delivery.",
    host: "smtp.mail.yahoo.com",
    source: "https://github.com/jstedfast/MailKit/issues/1855",
    cause: "message",
  },
  {
    stage: "message",
    reply:
      "554 delivery error: dd This user doesn't have a yahoo.fr account (to@example.org) [0] - mta1064.mail.ird.yahoo.com",
    authenticated: false,
    source: "https://github.com/hippich/PHPMailer-BMH/issues/2",
    cause: "message",
    classifiedAs: "settings",
  },
];

const RECEIVING_HOSTERS: readonly PublicReply[] = [
  // Rackspace.
  {
    stage: "greeting",
    reply: "421 Too many concurrent connections from this client (G2)",
    source: `${SMTP_CODES}/421.json`,
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "recipient",
    reply:
      "451 4.3.0 <mail.example.com[192.0.2.7]>: Client host rejected: Throttled - Too much spam from your mail server. Try again later.",
    authenticated: false,
    source: "https://docs.rackspace.com/docs/common-email-bounces",
    cause: "server",
    classifiedAs: "account",
  },
  {
    stage: "recipient",
    reply: "451 4.7.1 Received too many messages from a new or untrusted IP (G28)",
    authenticated: false,
    source: `${SMTP_CODES}/451.json`,
    cause: "server",
    classifiedAs: "settings",
  },
  // GoDaddy.
  {
    // The wrong host: smtpout.secureserver.net takes submissions.
    stage: "authentication",
    reply: "535 Authentication not allowed on IBSMTP Servers. IB401",
    host: "smtp.secureserver.net",
    source: "https://www.godaddy.com/help/fix-rejected-email-with-a-bounce-error-40685",
    cause: "settings",
  },
  {
    stage: "sender",
    reply:
      "550 192.0.2.7> This message has exceded the max number of messages per session. Please open a new session and try again. IB510",
    authenticated: false,
    source: `${SMTP_CODES}/550.json`,
    cause: "server",
  },
  {
    // 5.1.1 and the recipient's address, for a limit of the client.
    stage: "recipient",
    reply:
      "550 5.1.1 <to@example.org>  - 192.0.2.7 has sent to too many recipients this hour. IB607  <http://x.co/rlbounce>",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/rhost-godaddy-03.eml`,
    cause: "server",
    classifiedAs: "message",
  },
  {
    // No word but a link to Spamhaus.
    stage: "recipient",
    reply: "553 http://www.spamhaus.org/query/bl?ip=192.0.2.7",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/rhost-godaddy-02.eml`,
    cause: "server",
    classifiedAs: "settings",
  },
  // Infomaniak, AT&T, Ziggo, Orange, Comcast, Cloudflare.
  {
    stage: "message",
    reply:
      "554 5.7.1 Service unavailable; Client host [192.0.2.7] blocked using xxx.combined.mail.abusix.zone; https://lookup.abusix.com/search?q=192.0.2.7",
    authenticated: false,
    source: "https://github.com/thunderbird/mailstrom/issues/251",
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "sender",
    reply:
      "550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for 192.0.2.7",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-exim-43.eml`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "sender",
    reply:
      "550-5.1.0 MXIN506 MailFrom domain is listed in Spamhaus. To request removal from this list see https:\r\n550 5.1.0 //www.spamhaus.org/query/lookup/ ;id=DLOkvMxsVeZooDLOkv7hl0;sid=DLOkvMxsVeZoo;mta=mx12-prd-nl1-vmo;d=20251027;t=122826[CET];ipsrc=192.0.2.7;",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/lhost-postfix-80.eml`,
    cause: "settings",
  },
  {
    stage: "greeting",
    reply:
      "421 mwinf5c77 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]",
    source: `${BOUNCES}/maildir/bsd/rhost-franceptt-07.eml`,
    cause: "server",
  },
  {
    stage: "greeting",
    reply:
      "550 mwinf5c04 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102 Ref http://csi.cloudmark.com/reset-request/?ip=192.0.2.7 [102]",
    source: `${BOUNCES}/maildir/bsd/rhost-franceptt-06.eml`,
    cause: "server",
  },
  {
    stage: "sender",
    reply: "501 5.1.0 Emetteur invalide. Invalid Sender. OFR004_405 [405]",
    authenticated: false,
    source: `${FIELD_MANUAL}/501.json`,
    cause: "settings",
  },
  {
    stage: "recipient",
    reply: "452 4.1.1 <to@example.org> too many recent messages; Try again later",
    authenticated: false,
    source: `${FIELD_MANUAL}/452.json`,
    cause: "message",
  },
  {
    // Cloudflare forwards: the upstream is the recipient's other mailbox.
    stage: "message",
    reply:
      "421 4.3.0 Upstream error, please check https://developers.cloudflare.com/email-routing/postmaster for possible reasons why. RsrUEMk60942",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/rhost-cloudflare-01.eml`,
    cause: "message",
    classifiedAs: "server",
  },
];

const FILTERS: readonly PublicReply[] = [
  // Mimecast.
  {
    // A temporary code for relaying without authentication.
    stage: "recipient",
    reply: "451 Open relay not allowed - https://community.mimecast.com/docs/DOC-1369#451 [eRGrIbE1MyuhA8]",
    authenticated: false,
    source: `${FIELD_MANUAL}/451.json`,
    cause: "settings",
  },
  {
    // The source has the words only, without Mimecast's link.
    stage: "recipient",
    reply: "451 Account outbounds disabled",
    source: "https://github.com/sisimai/p5-sisimai/blob/HEAD/lib/Sisimai/Rhost/Mimecast.pm",
    cause: "account",
  },
  {
    stage: "recipient",
    reply:
      "554 Host network not allowed - https://community.mimecast.com/docs/DOC-1369#554 [z7qZw5BPd1zlDYHka4589ru.us222]",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/rhost-mimecast-01.eml`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550 Envelope blocked - User Entry - https://community.mimecast.com/docs/DOC-1369#550 [eRGrIbE1MyuhA8]",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply:
      "554 Email rejected due to security policies - https://community.mimecast.com/docs/DOC-1369#554 [eRGrIbE1MyuhA8]",
    authenticated: false,
    source: `${FIELD_MANUAL}/554.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  // MessageLabs, Proofpoint, Barracuda.
  {
    stage: "recipient",
    reply:
      "550-Please turn on SMTP Authentication in your mail client.\r\n550-mail0.bemta0.messagelabs.com [192.0.2.7]:11111 is not permitted to\r\n550 relay through this server without authentication.",
    authenticated: false,
    source: `${BOUNCES}/maildir/bsd/rhost-messagelabs-01.eml`,
    cause: "settings",
  },
  {
    stage: "recipient",
    reply:
      "550 5.7.1 Service unavailable; client [192.0.2.7] blocked using Cloudmark Sender Intelligence (Visit http://csi.cloudmark.com/reset-request/ if you feel this is in error)",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "server",
    classifiedAs: "settings",
  },
  {
    stage: "recipient",
    reply: "422 License Expired",
    source: `${FIELD_MANUAL}/422.json`,
    cause: "server",
  },
  {
    stage: "recipient",
    reply: "451 cuda_nsu 4.4.3 Temporary server error. Please try again later",
    authenticated: false,
    source: `${FIELD_MANUAL}/451.json`,
    cause: "server",
  },
  {
    stage: "message",
    reply: "550 permanent failure for one or more recipients (to@example.org:blocked)",
    authenticated: false,
    source: `${FIELD_MANUAL}/550.json`,
    cause: "message",
    classifiedAs: "settings",
  },
  {
    stage: "message",
    reply: "554 rejecting banned content",
    authenticated: false,
    source: `${FIELD_MANUAL}/554.json`,
    cause: "message",
    classifiedAs: "settings",
  },
];

/** All replies: those of the issue, then the others by software and provider. */
export const PUBLIC_REPLIES: readonly PublicReply[] = [
  ...MISREAD_REPLIES,
  ...POSTFIX_REPLIES,
  ...EXIM_REPLIES,
  ...SENDMAIL_AND_QMAIL,
  ...OPENSMTPD_AND_HARAKA,
  ...STALWART_AND_KUMOMTA,
  ...OTHER_SOFTWARE,
  ...GREYLISTING,
  ...MICROSOFT_REPLIES,
  ...GOOGLE_REPLIES,
  ...AMAZON_SES_REPLIES,
  ...OTHER_RELAYS,
  ...MAILBOX_PROVIDERS,
  ...RECEIVING_HOSTERS,
  ...FILTERS,
];
