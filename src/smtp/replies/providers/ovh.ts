import { PASSWORD_REJECTED, type Provider, REJECTED_PASSWORD } from "../row.ts";

export const OVH: Provider = {
  title: "OVHcloud",
  host: /^(ssl0|([a-z0-9-]+\.)?mail)\.ovh\.(net|ca)$/,
  exampleHost: "ssl0.ovh.net",
  rows: [
    {
      hint: "Check user (the full address) and password. OVHcloud also rejects logins of an address that it blocks for spam: check the address in the OVHcloud Control Panel, and change its password.",
      cause: "settings",
      source:
        "https://github.com/ovh/docs/pull/6139, https://help.ovhcloud.com/csm/en-mx-plan-email-diagnosis?id=kb_article_view&sysparm_article=KB0051869",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: { stage: "authentication", reply: REJECTED_PASSWORD },
    },
  ],
};
