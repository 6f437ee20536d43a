import { PASSWORD_REJECTED, type Provider, TOKEN_REJECTED } from "../row.ts";

const GMAIL_CODES = "https://support.google.com/a/answer/3726730";

export const GOOGLE: Provider = {
  title: "Gmail and Google Workspace",
  host: /(^|\.)(gmail|googlemail|google)\.com$/,
  mark: /\bgsmtp\b|support\.google\.com/i,
  exampleHost: "smtp.gmail.com",
  rows: [
    {
      hint: "Google asks the owner of the account to sign in with a browser: sign in, confirm that the attempt was yours, and use an app password.",
      cause: "settings",
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
      hint: "The account uses 2-Step Verification: create an app password, and use it as the password.",
      cause: "settings",
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
      hint: "Google does not accept the account's own password: turn on 2-Step Verification, create an app password, and use it as the password.",
      cause: "settings",
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
      cause: "settings",
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
      cause: "account",
      source: GMAIL_CODES,
      reply: /^5\d\d 5\.4\.5\b|daily (user )?(sending|smtp relay)/i,
      example: {
        stage: "message",
        reply: "550 5.4.5 Daily user sending quota exceeded. s5sm12197523qke.120 - gsmtp",
      },
    },
    {
      hint: "Google cannot authenticate the sender's domain: add the server to the domain's SPF record, sign with DKIM, and align both with from.",
      cause: "settings",
      subject: "sender",
      source: `https://support.google.com/mail/answer/81126, ${GMAIL_CODES}`,
      reply: /^\d{3} [45]\.7\.(2[67]|30|32)\b/,
      example: {
        stage: "message",
        reply:
          "550-5.7.30 This mail has been blocked because DKIM does not pass. Gmail requires\r\n550-5.7.30 all large senders to authenticate with DKIM.\r\n550 5.7.30 https://support.google.com/mail/answer/81126 - gsmtp",
      },
    },
    {
      hint: "Google's SMTP relay does not accept this IP address, and a Worker's address varies: in the Admin console, make the relay require SMTP authentication instead of listing addresses, and set from to an address in a domain of the organization.",
      cause: "settings",
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
      hint: "Google does not let this account send: it may be disabled, or may not belong to the Workspace organization.",
      cause: "account",
      source: GMAIL_CODES,
      reply: /mail sending denied/i,
      example: { stage: "message", reply: "550 5.7.0 Mail Sending denied. a640c23a62f3a - gsmtp" },
    },
  ],
};
