import { PASSWORD_REJECTED, type Provider } from "../row.ts";

const SES_SMTP = "https://docs.aws.amazon.com/ses/latest/dg/troubleshoot-smtp.html";

export const AMAZON_SES: Provider = {
  title: "Amazon SES",
  host: /^email-smtp[.-].*\.amazonaws\.com(\.cn)?$/,
  mark: /identities failed the check in region|\bAWS account\b|\barn:aws/i,
  exampleHost: "email-smtp.eu-west-1.amazonaws.com",
  rows: [
    {
      hint: "Amazon SES expects SMTP credentials, which its console creates for the region of host: AWS access keys do not work.",
      cause: "settings",
      source: SES_SMTP,
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: "535 Authentication Credentials Invalid" },
    },
    {
      hint: "Amazon SES sends only for verified identities: verify the address or domain of from, and in the sandbox the recipient's, in the region of host.",
      cause: "settings",
      subject: "sender",
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
      cause: "settings",
      source: SES_SMTP,
      reply: /not authorized to perform/i,
      example: {
        stage: "message",
        reply:
          "554 Access denied: User arn:aws:iam::123456789012:user/ses-smtp-user is not authorized to perform ses:SendRawEmail on resource arn:aws:ses:eu-west-1:123456789012:identity/example.com",
      },
    },
    {
      hint: "AWS has paused sending for this account, and trying again does not help: see the account dashboard in the SES console, and the inbox of the account's email address.",
      cause: "account",
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
      cause: "account",
      source: "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html",
      reply: /daily message quota/i,
      example: { stage: "message", reply: "454 Throttling failure: Daily message quota exceeded." },
    },
  ],
};
