import { PASSWORD_REJECTED, type Provider, TOKEN_REJECTED } from "./row.ts";

// RFC 4954 section 6. The example of rows that the provider documents without a reply.
const REJECTED_PASSWORD = "535 5.7.8 Authentication credentials invalid";

const GMAIL_CODES = "https://support.google.com/a/answer/3726730";

const GOOGLE: Provider = {
  title: "Gmail and Google Workspace",
  host: /(^|\.)(gmail|googlemail|google)\.com$/,
  mark: /\bgsmtp\b|support\.google\.com/i,
  exampleHost: "smtp.gmail.com",
  rows: [
    {
      hint: "Google wants the owner of the account to sign in with a browser first: sign in there, confirm that the attempt was yours, and use an app password.",
      source: GMAIL_CODES,
      ...PASSWORD_REJECTED,
      reply: /^534 5\.7\.14\b|web browser|WebLoginRequired/i,
      example: {
        stage: "authentication",
        reply:
          "534-5.7.14 <https://accounts.google.com/signin/continue?sarp=1&scc=1&plt=AKgnsbsQ1x\r\n534-5.7.14 9rT2qQh7Yq3bZr> Please log in via your web browser and then try again.\r\n534-5.7.14  Learn more at\r\n534 5.7.14  https://support.google.com/mail/answer/78754 a640c23a62f3a - gsmtp",
      },
    },
    {
      hint: "The account uses 2-Step Verification: create an app password, and use it as password.",
      source: "https://support.google.com/accounts/answer/185833",
      ...PASSWORD_REJECTED,
      reply: /^534\b|application-specific/i,
      example: {
        stage: "authentication",
        reply:
          "534-5.7.9 Application-specific password required. For more information, go to\r\n534 5.7.9  https://support.google.com/mail/?p=InvalidSecondFactor 5b1f17b1804b1-gsmtp",
      },
    },
    {
      hint: "Google does not accept the account's own password: turn on 2-Step Verification, create an app password, and use it as password.",
      source: "https://support.google.com/mail/?p=BadCredentials",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: {
        stage: "authentication",
        reply:
          "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials a640c23a62f3a-gsmtp",
      },
    },
    {
      hint: "Google does not accept the access token for this user: set user to a mailbox of the Google Workspace organization, and authTokenScope to https://mail.google.com/.",
      source: "https://developers.google.com/workspace/gmail/imap/xoauth2-protocol",
      ...TOKEN_REJECTED,
      reply: /^535\b/,
      example: {
        stage: "authentication",
        reply:
          "535-5.7.8 Username and Password not accepted. For more information, go to\r\n535 5.7.8  https://support.google.com/mail/?p=BadCredentials c7sm19648018pfp.164 - gsmtp",
        settings: { authType: "token" },
      },
    },
    {
      hint: "Google's daily sending limit is reached: sending works again within 24 hours. Trying again soon does not help.",
      source: GMAIL_CODES,
      reply: /^5\d\d 5\.4\.5\b|daily (user )?(sending|smtp relay)/i,
      example: {
        stage: "message",
        reply: "550 5.4.5 Daily user sending quota exceeded. s5sm12197523qke.120 - gsmtp",
      },
    },
    {
      hint: "Google's SMTP relay does not accept this IP address, and a Worker's address varies: in the Admin console, let the relay require SMTP authentication instead of listing addresses, and let from belong to a domain of the organization.",
      source: "https://support.google.com/a/answer/6140680",
      reply: /relay/i,
      example: {
        stage: "recipient",
        reply:
          "550-5.7.0 Mail relay denied [192.0.2.7]. Invalid credentials for relay for one of\r\n550 5.7.0 the domains in: example.com - gsmtp",
        settings: { host: "smtp-relay.gmail.com" },
      },
    },
    {
      hint: "Google does not let this account send: it may be disabled, or not belong to the Workspace organization.",
      source: GMAIL_CODES,
      reply: /mail sending denied/i,
      example: { stage: "message", reply: "550 5.7.0 Mail Sending denied. a640c23a62f3a - gsmtp" },
    },
    {
      hint: "Google cannot authenticate the sender's domain: add the server to the domain's SPF record, sign with DKIM, and align both with from.",
      source: `https://support.google.com/mail/answer/81126, ${GMAIL_CODES}`,
      reply: /^\d{3} [45]\.7\.(2[67]|30|32)\b/,
      example: {
        stage: "message",
        reply:
          "550-5.7.30 This mail has been blocked because DKIM does not pass. Gmail requires\r\n550-5.7.30 all large senders to authenticate with DKIM.\r\n550 5.7.30 https://support.google.com/mail/answer/81126 - gsmtp",
      },
    },
  ],
};

const SMTP_AUTH =
  "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/authenticated-client-smtp-submission";
const SEND_FROM_APPLICATION =
  "https://learn.microsoft.com/exchange/mail-flow-best-practices/fix-issues-with-printers-scanners-and-lob-applications-that-send-email-using-off";
const EXCHANGE_OAUTH =
  "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth";
const MICROSOFT_REPORTS =
  "https://learn.microsoft.com/exchange/mail-flow-best-practices/non-delivery-reports-in-exchange-online";

const MICROSOFT: Provider = {
  title: "Microsoft 365 and Outlook.com",
  host: /(^|\.)(outlook|office365|office|hotmail|live)\.com$/,
  mark: /\.outlook\.com\b|\baka\.ms\b|\bSTOREDRV\b|SendAsDenied|SmtpClientAuthentication/i,
  exampleHost: "smtp.office365.com",
  rows: [
    {
      hint: "Check user and password: Microsoft 365 does not recognize them.",
      source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
      ...PASSWORD_REJECTED,
      reply: /credentials were incorrect/i,
      example: {
        stage: "authentication",
        reply: "535 5.7.139 Authentication unsuccessful, the user credentials were incorrect.",
      },
    },
    {
      hint: "SMTP AUTH is disabled for this mailbox or organization in Microsoft 365: an administrator must enable Authenticated SMTP for it.",
      source: SMTP_AUTH,
      reply: /SmtpClientAuthentication is disabled/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant. Visit https://aka.ms/smtp_auth_disabled for more information. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "The security defaults of Microsoft Entra block SMTP AUTH: an administrator must replace them with Conditional Access policies that allow it for this user.",
      source: `https://learn.microsoft.com/entra/fundamentals/security-defaults, ${SMTP_AUTH}`,
      reply: /security defaults/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.139 Authentication unsuccessful, user is locked by your organization's security defaults policy. Contact your administrator. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Exchange does not let this client send from the mailbox of user: grant it the application permission SMTP.SendAsApp with admin consent, register its service principal in Exchange (New-ServicePrincipal, with the object id of the enterprise application), and give that permission on the mailbox (Add-MailboxPermission). Changes take up to an hour.",
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
      hint: "Exchange rejects this client or the mailbox of user: check that Authenticated SMTP is enabled for the mailbox, that no Conditional Access policy blocks the client, and that its service principal is registered in Exchange with permission on the mailbox.",
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
      source: "https://learn.microsoft.com/entra/identity-platform/reference-error-codes",
      reply: /account (is )?locked/i,
      example: {
        stage: "authentication",
        reply: "535 5.7.139 Authentication unsuccessful, account locked. [AM0PR.EURPRD.PROD.OUTLOOK.COM]",
      },
    },
    {
      hint: "Microsoft no longer accepts a user and password for SMTP here: set authType to token, with a client of Microsoft Entra. An administrator may be able to enable basic authentication for a while.",
      source:
        "https://techcommunity.microsoft.com/blog/exchange/exchange-online-to-retire-basic-auth-for-client-submission-smtp-auth/4114750",
      reply: /^\d{3} 5\.7\.30\b|basic authentication is (disabled|not supported)/i,
      example: {
        stage: "authentication",
        reply: "550 5.7.30 Basic authentication is not supported for Client Submission.",
      },
    },
    {
      hint: "Check user and password, and that Authenticated SMTP is enabled for the mailbox in Microsoft 365.",
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
      source: SEND_FROM_APPLICATION,
      reply: /SendAsDenied|^\d{3} 5\.7\.60\b/i,
      example: {
        stage: "message",
        reply: "554 5.2.252 SendAsDenied; ada@example.com not allowed to send as other@example.com",
      },
    },
    {
      hint: "The mailbox has reached Exchange's sending limit: sending works again within 24 hours. Trying again soon does not help.",
      source:
        "https://learn.microsoft.com/office365/servicedescriptions/exchange-online-service-description/exchange-online-limits",
      reply: /submission ?quota ?exceeded/i,
      example: {
        stage: "message",
        reply: "554 5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException",
      },
    },
    {
      hint: "Microsoft has restricted this mailbox, because it seems to send spam: an administrator must secure it, and remove it from the Restricted entities in Microsoft Defender.",
      source: `${MICROSOFT_REPORTS}/fix-error-code-5-1-8-in-exchange-online`,
      reply: /^\d{3} 5\.(1\.8|7\.(50[1-3]|511))\b|OutboundSpam/i,
      example: { stage: "message", reply: "550 5.1.8 Access denied, bad outbound sender AS(42004)" },
    },
    {
      hint: "Microsoft does not let this organization send for now (suspicious mail, or a domain that is not registered): an administrator must register its domains, and ask Microsoft's support.",
      source: `${MICROSOFT_REPORTS}/fix-error-code-5-7-700-through-5-7-750`,
      reply: /^\d{3} 5\.7\.7\d\d\b/,
      example: {
        stage: "message",
        reply: "550 5.7.705 Service unavailable. Access denied, tenant has exceeded threshold",
      },
    },
  ],
};

const SES_SMTP = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";

const AMAZON_SES: Provider = {
  title: "Amazon SES",
  host: /^email-smtp[.-].*\.amazonaws\.com(\.cn)?$/,
  mark: /identities failed the check in region|\bAWS account\b|\barn:aws/i,
  exampleHost: "email-smtp.eu-west-1.amazonaws.com",
  rows: [
    {
      hint: "Amazon SES expects SMTP credentials, which its console creates for the region of host: AWS access keys do not work.",
      source: SES_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 Authentication Credentials Invalid" },
    },
    {
      hint: "Amazon SES sends only for verified identities: verify the address or domain of from, and in the sandbox the recipient's, in the region of host.",
      source: "https://repost.aws/knowledge-center/ses-554-400-message-rejected-error",
      reply: /not verified/i,
      example: {
        stage: "message",
        reply:
          "554 Message rejected: Email address is not verified. The following identities failed the check in region EU-WEST-1: sender@example.com",
      },
    },
    {
      hint: "The IAM user of the SMTP credentials may not send: allow it ses:SendRawEmail for the identity of from.",
      source: SES_SMTP,
      reply: /not authorized to perform/i,
      example: {
        stage: "message",
        reply:
          "554 Access denied: User arn:aws:iam::123456789012:user/ses-smtp-user is not authorized to perform ses:SendRawEmail on resource arn:aws:ses:eu-west-1:123456789012:identity/example.com",
      },
    },
    {
      hint: "AWS has paused sending for this account, and trying again does not help: see the account's dashboard in the SES console, and AWS's mail to the account.",
      source: "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-error-messages.html",
      reply: /sending (paused|suspended)/i,
      example: {
        stage: "message",
        reply:
          "554 Message rejected: Sending paused for this account. For more information, please check the inbox of the email address associated with your AWS account.",
      },
    },
    {
      hint: "The daily sending quota of Amazon SES is used up: wait until it renews, or request a higher one. Trying again soon does not help.",
      source: "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html",
      reply: /daily message quota/i,
      example: { stage: "message", reply: "454 Throttling failure: Daily message quota exceeded." },
    },
  ],
};

const SENDGRID_ERRORS =
  "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/smtp-errors-and-troubleshooting";

const SENDGRID: Provider = {
  title: "SendGrid",
  host: /(^|\.)sendgrid\.(net|com)$/,
  mark: /sendgrid/i,
  exampleHost: "smtp.sendgrid.net",
  rows: [
    {
      hint: "SendGrid's credits are used up: wait until they renew, or upgrade the plan. Trying again soon does not help.",
      source: SENDGRID_ERRORS,
      reply: /credits/i,
      example: { stage: "authentication", reply: "451 Authentication failed: Maximum credits exceeded" },
    },
    {
      hint: "SendGrid expects the word apikey as user, and an API key with the permission Mail Send as password.",
      source:
        "https://www.twilio.com/docs/sendgrid/for-developers/sending-email/integrating-with-the-smtp-api",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 Authentication failed: Bad username / password" },
    },
    {
      hint: "SendGrid sends only for verified Sender Identities: verify the address of from, or authenticate its domain.",
      source: SENDGRID_ERRORS,
      reply: /sender identity|not authorized to send from/i,
      example: {
        stage: "message",
        reply:
          "550 The from address does not match a verified Sender Identity. Mail cannot be sent until this error is resolved.",
      },
    },
  ],
};

const YAHOO: Provider = {
  title: "Yahoo and AOL",
  host: /(^|\.)(yahoo|aol)\.com$/,
  mark: /#AUTH\d/,
  exampleHost: "smtp.mail.yahoo.com",
  rows: [
    {
      hint: "Yahoo does not accept the account's own password: create an app password in the account's security settings, and use it as password. After too many attempts, wait an hour.",
      source: "https://help.yahoo.com/kb/SLN15241.html, https://github.com/nodemailer/nodemailer/issues/1112",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 5.7.0 (#AUTH005) Too many bad auth attempts." },
    },
  ],
};

const ICLOUD: Provider = {
  title: "iCloud Mail",
  host: /(^|\.)(me|icloud)\.com$/,
  exampleHost: "smtp.mail.me.com",
  rows: [
    {
      hint: "Apple does not accept the account's own password for iCloud Mail: create an app-specific password, and use it with the full iCloud address as user.",
      source: "https://support.apple.com/102525, https://support.apple.com/102654",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const FASTMAIL: Provider = {
  title: "Fastmail",
  host: /(^|\.)(fastmail\.(com|fm)|messagingengine\.com)$/,
  exampleHost: "smtp.fastmail.com",
  rows: [
    {
      hint: "Fastmail does not accept the account's own password: create an app password with access to SMTP, and use it as password.",
      source: "https://www.fastmail.help/hc/en-us/articles/360058752854",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const ZOHO_SMTP = "https://www.zoho.com/mail/help/zoho-smtp.html";

const ZOHO: Provider = {
  title: "Zoho Mail",
  host: /(^|\.)zoho(cloud)?\.(com|eu|in|jp|sa|uk|ca|ae|com\.au|com\.cn)$/,
  exampleHost: "smtp.zoho.eu",
  rows: [
    {
      hint: "Set host to the server of the account's region (smtp.zoho.com, smtp.zoho.eu, smtp.zoho.in, smtp.zoho.com.au, ...; smtppro for a domain of your own), user to the full address, and password to an app-specific one if two-factor authentication is on.",
      source: ZOHO_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 Authentication Failed" },
    },
    {
      hint: "Zoho lets the user send only from its own address or an alias: set from (and envelopeFrom) to one of them.",
      source: `${ZOHO_SMTP}, https://github.com/mybb/mybb/issues/2644`,
      reply: /relaying disallowed/i,
      example: { stage: "sender", reply: "553 Relaying disallowed as other@example.com" },
    },
    {
      hint: "Zoho has blocked outgoing mail of this account, and trying again does not help: sign in to Zoho Mail, and unblock the account there.",
      source:
        "https://help.zoho.com/portal/en/community/topic/unable-to-send-message-reason-550-5-4-6-unusual-sending-activity-detected",
      reply: /unusual sending activity|sender address blocked/i,
      example: { stage: "message", reply: "550 5.4.6 Unusual sending activity detected." },
    },
  ],
};

const YANDEX: Provider = {
  title: "Yandex",
  host: /(^|\.)(yandex\.(ru|com|net|by|kz|uz|com\.tr)|ya\.ru)$/,
  exampleHost: "smtp.yandex.com",
  rows: [
    {
      hint: "Access for mail clients is switched off in this mailbox: allow it in the settings of Yandex Mail (Email clients), and use an app password.",
      source: "https://yandex.com/support/mail/mail-clients/others.html",
      reply: /does not have access rights/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.8 Error: authentication failed: This user does not have access rights to this service",
      },
    },
    {
      hint: "Yandex suspects spam: sign in to the mailbox with a browser, and send a mail there to prove that you are no robot.",
      source:
        "https://github.com/higty/higlabo/pull/17, https://yandex.com/support/mail/web/letter/create/troubleshooting.html",
      reply: /looks like spam/i,
      example: {
        stage: "authentication",
        reply:
          "535 5.7.8 Error: authentication failed: Your message looks like spam. You need to use web for sending or prove you are not a robot",
      },
    },
    {
      hint: "Yandex expects an app password: create one for mail in the account's settings, and use it as password.",
      source: "https://yandex.com/support/passport/authorization/app-passwords.html",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const MAILGUN: Provider = {
  title: "Mailgun",
  host: /(^|\.)mailgun\.org$/,
  mark: /mailgun/i,
  exampleHost: "smtp.mailgun.org",
  rows: [
    {
      hint: "Mailgun expects an SMTP user of the sending domain (user@domain) and its SMTP password instead of an API key, at the server of the domain's region: smtp.mailgun.org or smtp.eu.mailgun.org.",
      source: "https://documentation.mailgun.com/docs/mailgun/user-manual/smtp-protocol/",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
    {
      hint: "Mailgun's sandbox domains and free accounts send only to authorized recipients: authorize this recipient, or use a domain of your own.",
      source: "https://help.mailgun.com/hc/en-us/articles/217531258-Authorized-Recipients",
      reply: /test purposes|authorized recipients/i,
      example: {
        stage: "message",
        reply:
          "421 Domain sandbox0123456789abcdef.mailgun.org is not allowed to send: Sandbox subdomains are for test purposes only. Please add your own domain or add the address to authorized recipients in Account Settings.",
      },
    },
    {
      hint: "Mailgun does not let this domain send, and trying again does not help: verify its DNS records, and see whether the account is active.",
      source: "https://help.mailgun.com/hc/en-us/articles/202051664-My-domain-has-been-disabled-Now-what",
      reply: /not allowed to send/i,
      example: {
        stage: "message",
        reply:
          "421 Domain example.com is not allowed to send: The domain is unverified and requires DNS configuration. Log in to your control panel to view required DNS records.",
      },
    },
  ],
};

const POSTMARK: Provider = {
  title: "Postmark",
  host: /(^|\.)postmarkapp\.com$/,
  exampleHost: "smtp.postmarkapp.com",
  rows: [
    {
      hint: "Postmark expects the Server API Token as user and as password (or an SMTP Token of a message stream): an Account API Token does not work.",
      source: "https://postmarkapp.com/support/article/common-smtp-connection-errors",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const BREVO_SMTP = "https://help.brevo.com/hc/en-us/articles/115000188150";

const BREVO: Provider = {
  title: "Brevo",
  host: /(^|\.)(brevo|sendinblue)\.com$/,
  exampleHost: "smtp-relay.brevo.com",
  rows: [
    {
      hint: "Brevo blocks IP addresses that it does not know, and a Worker's address varies: turn off the blocking of unknown IP addresses for SMTP keys in Brevo's security settings.",
      source:
        "https://help.brevo.com/hc/en-us/articles/5740111683858-Authorize-and-block-IP-addresses-for-API-and-SMTP-security",
      reply: /^525\b|unauthorized ip/i,
      example: { stage: "authentication", reply: "525 5.7.1 Unauthorized IP address" },
    },
    {
      hint: "Brevo has not activated this account for transactional mail: complete its profile, and ask Brevo's support. Trying again does not help.",
      source: BREVO_SMTP,
      reply: /not (yet )?activated/i,
      example: { stage: "message", reply: "502 5.7.0 Your SMTP account is not yet activated" },
    },
    {
      hint: "Brevo expects the SMTP login as user, and an SMTP key as password: neither an API key nor the account's password works.",
      source: BREVO_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 5.7.8 Authentication failed" },
    },
  ],
};

const SPARKPOST_ERRORS = "https://support.sparkpost.com/docs/faq/error-messages-smtp";

const SPARKPOST: Provider = {
  title: "SparkPost",
  host: /(^|\.)sparkpost(mail)?\.com$/,
  mark: /sparkpost|unconfigured sending domain/i,
  exampleHost: "smtp.sparkpostmail.com",
  rows: [
    {
      hint: "SparkPost expects SMTP_Injection as user, and an API key with the permission Send via SMTP as password.",
      source: SPARKPOST_ERRORS,
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: "535 5.7.8 Sorry. No authentication type succeeded" },
    },
    {
      hint: "SparkPost sends only for configured sending domains: add and verify the domain of from.",
      source: SPARKPOST_ERRORS,
      reply: /unconfigured sending domain/i,
      example: { stage: "message", reply: "550 5.7.1 Unconfigured Sending Domain <demo.example.com>" },
    },
  ],
};

const MAILJET: Provider = {
  title: "Mailjet",
  host: /(^|\.)mailjet\.com$/,
  exampleHost: "in-v3.mailjet.com",
  rows: [
    {
      hint: "Mailjet expects the API key as user, and the secret key as password.",
      source:
        "https://dev.mailjet.com/smtp-relay/configuration/, https://cloud.google.com/compute/docs/tutorials/sending-mail/using-mailjet",
      ...PASSWORD_REJECTED,
      reply: /^5/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const OVH: Provider = {
  title: "OVHcloud",
  host: /^(ssl0|([a-z0-9-]+\.)?mail)\.ovh\.(net|ca)$/,
  exampleHost: "ssl0.ovh.net",
  rows: [
    {
      hint: "Check user (the full address) and password. OVHcloud also rejects the login of an address that it blocks for spam: see the address in the OVHcloud Control Panel, and change its password.",
      source:
        "https://github.com/ovh/docs/pull/6139, https://help.ovhcloud.com/csm/en-mx-plan-email-diagnosis?id=kb_article_view&sysparm_article=KB0051869",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};

const IONOS: Provider = {
  title: "IONOS",
  host: /(^|\.)(ionos\.(de|com|fr|es|it|mx|ca|at|co\.uk)|1und1\.de|1and1\.(com|fr|es|it|co\.uk))$/,
  exampleHost: "smtp.ionos.com",
  rows: [
    {
      hint: "IONOS accepts only senders of the user's domain: set from (and envelopeFrom) to an address with the same domain as user.",
      source:
        "https://www.ionos.com/help/email/general-topics/important-change-for-sending-emails-with-different-sender-addresses/",
      reply: /sender address is not allowed/i,
      example: { stage: "sender", reply: "550 Sender address is not allowed" },
    },
  ],
};

const ARUBA: Provider = {
  title: "Aruba",
  host: /(^|\.)(aruba|arubabusiness|pec)\.it$/,
  exampleHost: "smtps.aruba.it",
  rows: [
    {
      hint: "Aruba accepts only some 200 mails in 20 minutes: try again later.",
      source:
        "https://guide.arubabusiness.it/email/configurazioni-email-arubabusiness/errori-comuni-invio-ricezione-posta",
      reply: /policy violation/i,
      example: { stage: "message", reply: "550 5.1.0 iemL1p01Z0hMcT901emQ77 policy violation" },
    },
  ],
};

/** In no order: at most one applies. To add a provider, add its rows here. */
export const PROVIDERS: readonly Provider[] = [
  GOOGLE,
  MICROSOFT,
  AMAZON_SES,
  SENDGRID,
  YAHOO,
  ICLOUD,
  FASTMAIL,
  ZOHO,
  YANDEX,
  MAILGUN,
  POSTMARK,
  BREVO,
  SPARKPOST,
  MAILJET,
  OVH,
  IONOS,
  ARUBA,
];
