import { PASSWORD_REJECTED, type Provider, TOKEN_REJECTED } from "../row.ts";

const SMTP_AUTH =
  "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission";
const SEND_FROM_APPLICATION =
  "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off";
const EXCHANGE_OAUTH =
  "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth";
/** The retirement of passwords, in the words of hints about them. */
const END_OF_PASSWORDS =
  "Microsoft turns off basic authentication by default at the end of December 2026 (an administrator can enable it again), and will announce the final date in the second half of 2027. New organizations can only use OAuth.";
const BASIC_AUTH_TIMELINE =
  "https://techcommunity.microsoft.com/blog/exchange/updated-exchange-online-smtp-auth-basic-authentication-deprecation-timeline/4489835";
const MICROSOFT_REPORTS =
  "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online";

export const MICROSOFT: Provider = {
  title: "Microsoft 365 and Outlook.com",
  host: /(^|\.)(outlook|office365|office|hotmail|live)\.com$/,
  mark: /\.outlook\.com\b|\baka\.ms\b|\bSTOREDRV\b|SendAsDenied|SmtpClientAuthentication/i,
  exampleHost: "smtp.office365.com",
  rows: [
    {
      hint: "Check user and password: Microsoft 365 does not recognize them.",
      cause: "settings",
      source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
      ...PASSWORD_REJECTED,
      reply: /credentials were incorrect/i,
      example: {
        stage: "authentication",
        reply: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
      },
    },
    {
      hint: `SMTP AUTH is disabled for this mailbox or organization in Microsoft 365: an administrator must enable Authenticated SMTP for it, and basic authentication too if a password is used. ${END_OF_PASSWORDS}`,
      cause: "settings",
      source: `${SMTP_AUTH}, ${BASIC_AUTH_TIMELINE}`,
      reply: /SmtpClientAuthentication is disabled/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "The security defaults of Microsoft Entra block SMTP AUTH: an administrator must replace them with Conditional Access policies that allow it for this user.",
      cause: "settings",
      source: `https://learn.microsoft.com/entra/fundamentals/security-defaults, ${SMTP_AUTH}`,
      reply: /security defaults/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Exchange does not let this client send from the user's mailbox: grant it the application permission SMTP.SendAsApp with admin consent, register its service principal in Exchange (New-ServicePrincipal, with the object id of the enterprise application), and grant it access to the mailbox (Add-MailboxPermission). Changes take up to an hour.",
      cause: "settings",
      source: EXCHANGE_OAUTH,
      ...TOKEN_REJECTED,
      reply: /^535 5\.7\.3\b/,
      example: {
        stage: "authentication",
        reply: "535 5.7.3 Authentication unsuccessful [AM0PR06CA0126.eurprd06.prod.outlook.com]",
        settings: { authType: "token" },
      },
    },
    {
      hint: "Exchange rejects this client or the user's mailbox: check that Authenticated SMTP is enabled for the mailbox, that no Conditional Access policy blocks the client, and that its service principal is registered in Exchange with permission on the mailbox.",
      cause: "settings",
      source: `${EXCHANGE_OAUTH}, ${SMTP_AUTH}`,
      ...TOKEN_REJECTED,
      reply: /^535 5\.7\.139\b/,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
        settings: { authType: "token" },
      },
    },
    {
      hint: "A Conditional Access policy or multifactor authentication blocks this user: an administrator must allow SMTP AUTH for it in Microsoft Entra.",
      cause: "settings",
      source:
        "https://learn.microsoft.com/dynamics365/fin-ops-core/fin-ops/organization-administration/configure-email",
      ...PASSWORD_REJECTED,
      reply: /did not meet the criteria/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, the request did not meet the criteria to be authenticated successfully. Contact your administrator. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Microsoft has locked the account, often after failed sign-ins: an administrator must unlock it. Then check user and password.",
      cause: "account",
      source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
      reply: /account (is )?locked/i,
      example: {
        stage: "authentication",
        reply: "535 5.7.139 Authentication unsuccessful, account locked. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: `Microsoft 365 does not accept a password here: set authType to token, with a client of Microsoft Entra, or have an administrator enable basic authentication. ${END_OF_PASSWORDS}`,
      cause: "settings",
      subject: "mechanism",
      source: `${BASIC_AUTH_TIMELINE}, ${SMTP_AUTH}`,
      where: ({ settings }) => settings.authType !== "token",
      reply: /^504 5\.7\.4\b|^\d{3} 5\.7\.30\b|basic authentication is (disabled|not supported)/i,
      example: {
        stage: "authentication",
        reply: "550 5.7.30 Basic authentication is not supported for Client Submission.",
      },
    },
    {
      hint: "Check user and password, and that Authenticated SMTP is enabled for the mailbox in Microsoft 365.",
      cause: "settings",
      source: SEND_FROM_APPLICATION,
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: {
        stage: "authentication",
        reply: "535 5.7.3 Authentication unsuccessful [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Microsoft 365 has not authenticated the user: check user and password, and enable Authenticated SMTP for the mailbox.",
      cause: "settings",
      subject: "password",
      source:
        "https://learn.microsoft.com/exchange/troubleshoot/email-delivery/ndr/fix-error-code-5-7-57-in-exchange-online",
      reply: /^\d{3} 5\.7\.57\b/,
      example: {
        stage: "sender",
        reply: "530 5.7.57 Client not authenticated to send mail. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Exchange does not allow the user to send as this address: set from to the user's own address, or grant the user Send As permission for it.",
      cause: "settings",
      subject: "sender",
      source: SEND_FROM_APPLICATION,
      reply: /SendAsDenied|^\d{3} 5\.7\.60\b/i,
      example: {
        stage: "message",
        reply:
          "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as other@example.com; STOREDRV.Submission.Exception:SendAsDeniedException.MapiExceptionSendAsDenied; Failed to process message due to a permanent exception with message Cannot submit message.",
      },
    },
    {
      hint: "The mailbox has reached Exchange's sending limit: sending works again within 24 hours. Trying again soon does not help.",
      cause: "account",
      source:
        "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits",
      reply: /submission ?quota ?exceeded/i,
      example: {
        stage: "message",
        reply: "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
      },
    },
    {
      hint: "The user's mailbox is full, so Exchange sends nothing from it: delete messages (Exchange keeps a copy of each one sent), or ask an administrator for more space.",
      cause: "account",
      source: "https://learn.microsoft.com/exchange/troubleshoot/send-emails/smtp-submission-improvements",
      reply: /\bSubmission\.Exception:QuotaExceeded/i,
      example: {
        stage: "message",
        reply:
          "554 5.2.2 mailbox full; STOREDRV.Submission.Exception:QuotaExceededException.MapiExceptionShutoffQuotaExceeded",
      },
    },
    {
      hint: "Outlook.com does not let this account send, because it is unverified, over its quota or suspected of spam: sign in with a browser, and follow the instructions there.",
      cause: "account",
      source: "https://github.com/Youans/nodejs-nodemailer-outlook/issues/11",
      reply: /OutboundSpamException|\bsign in to your account\b/i,
      example: {
        stage: "message",
        reply:
          "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent exception with message WASCL UserAction verdict is not None. Actual verdict is RefuseQuota, ShowTierUpgrade.",
      },
    },
    {
      hint: "Microsoft has restricted this mailbox because it seems to send spam: an administrator must secure it, and remove it from the Restricted entities in Microsoft Defender.",
      cause: "account",
      source: `${MICROSOFT_REPORTS}/fix-error-code-5-1-8-in-exchange-online`,
      reply: /^\d{3} 5\.(1\.8|7\.50[1-3])\b/,
      example: { stage: "message", reply: "550 5.1.8 Access denied, bad outbound sender AS(42004)" },
    },
    {
      hint: "The organization blocks this recipient: an administrator must remove its address or domain from the Tenant Allow/Block List in Microsoft Defender.",
      cause: "message",
      subject: "recipient",
      source: `${MICROSOFT_REPORTS}/fix-error-code-5-7-700-through-5-7-750`,
      reply: /^\d{3} 5\.7\.703\b/,
      example: {
        stage: "message",
        reply:
          "550 5.7.703 Your message can't be delivered because messages to reader@example.org are blocked by your organization using Tenant Allow Block List.",
      },
    },
    {
      hint: "Microsoft does not let this organization send (suspicious messages, or a domain that is not registered): an administrator must register its domains, and contact Microsoft's support.",
      cause: "account",
      source: `${MICROSOFT_REPORTS}/fix-error-code-5-7-700-through-5-7-750`,
      reply: /^\d{3} 5\.7\.7\d\d\b/,
      example: {
        stage: "message",
        reply: "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold",
      },
    },
  ],
};
