import type { Provider } from "../row.ts";

export const ARUBA: Provider = {
  title: "Aruba",
  host: /(^|\.)(aruba|arubabusiness|pec)\.it$/,
  exampleHost: "smtps.aruba.it",
  rows: [
    {
      hint: "Aruba accepts only about 200 messages in 20 minutes: try again later.",
      cause: "account",
      source:
        "https://guide.arubabusiness.it/email/configurazioni-email-arubabusiness/errori-comuni-invio-ricezione-posta",
      reply: /policy violation/i,
      example: { stage: "message", reply: "550 5.1.0 iemL1p01Z0hMcT901emQ77 policy violation" },
    },
  ],
};
