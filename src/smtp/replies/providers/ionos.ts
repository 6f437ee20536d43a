import type { Provider } from "../row.ts";

export const IONOS: Provider = {
  title: "IONOS",
  host: /(^|\.)(ionos\.(de|com|fr|es|it|mx|ca|at|co\.uk)|1und1\.de|1and1\.(com|fr|es|it|co\.uk))$/,
  exampleHost: "smtp.ionos.com",
  rows: [
    {
      hint: "IONOS accepts only senders of the user's domain: set from (and envelopeFrom) to an address with the same domain as user.",
      cause: "settings",
      subject: "sender",
      source:
        "https://www.ionos.com/help/email/general-topics/important-change-for-sending-emails-with-different-sender-addresses/",
      reply: /sender address is not allowed/i,
      example: { stage: "sender", reply: "550 Sender address is not allowed" },
    },
  ],
};
