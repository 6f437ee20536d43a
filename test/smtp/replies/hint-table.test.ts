import { describe, expect, it } from "vitest";
import { BY_CAUSE, LAST_RESORT } from "../../../src/smtp/replies/common.ts";
import { PROVIDERS } from "../../../src/smtp/replies/providers/index.ts";
import { CAUSES } from "../../../src/smtp/replies/row.ts";
import { HINT_GROUPS, ROWS, rowFor } from "../../../src/smtp/replies/rows.ts";
import { FAILURE_KINDS, STAGES } from "../../../src/smtp/result.ts";
import { hintFor, symptomOf } from "../../support/smtp/symptoms.ts";

describe.each(HINT_GROUPS)("Hints: $title", ({ rows, ...group }) => {
  const host = "exampleHost" in group ? String(group.exampleHost) : undefined;
  const isByCause = group.title === BY_CAUSE.title;

  it.each(rows)("$example.stage $example.kind $example.reply selects: $hint", (row) => {
    expect(rowFor(symptomOf(row.example, host), isByCause ? row.cause : undefined)).toBe(row);
  });
});

describe.each(CAUSES)("The cause %s", (cause) => {
  it.each(STAGES)("has a hint for every failure at %s", (stage) => {
    for (const kind of FAILURE_KINDS) {
      for (const reply of kind === "reply" ? ["450 4.0.0 no", "550 5.0.0 no"] : [undefined]) {
        const symptom = symptomOf({ stage, kind, ...(reply === undefined ? {} : { reply }) });
        expect(rowFor(symptom, cause).cause, `${kind} ${reply}`).toBe(cause);
      }
    }
  });

  it("does not overrule a reply that has it", () => {
    for (const { rows, ...group } of HINT_GROUPS) {
      const host = "exampleHost" in group ? String(group.exampleHost) : undefined;
      for (const row of rows.filter((row) => row.cause === cause && !BY_CAUSE.rows.includes(row))) {
        if (row === LAST_RESORT) continue;
        expect(rowFor(symptomOf(row.example, host), cause)).toBe(row);
      }
    }
  });
});

describe("Each hint", () => {
  it.each(ROWS)("is a sentence with a public source: $hint", ({ hint, source }) => {
    expect(hint).toMatch(/^[A-Z].*\.$/);
    expect(source).toMatch(/^(RFC \d{4}|https:\/\/|CVE-\d{4}-\d+)/);
  });

  it("is unique", () => {
    expect(new Set(ROWS.map(({ hint }) => hint)).size).toBe(ROWS.length);
  });

  it("has no placeholder left, whatever is known of the symptom", () => {
    for (const { example } of ROWS) {
      const symptom = symptomOf(example);
      expect(hintFor(symptom)).not.toContain("{");
      expect(hintFor({ ...symptom, clientName: undefined })).not.toContain("{");
    }
  });

  it("exists for every kind of failure at every stage", () => {
    for (const kind of FAILURE_KINDS.filter((kind) => kind !== "reply")) {
      for (const stage of STAGES) {
        const { kinds } = rowFor(symptomOf({ kind, stage }));
        expect(kinds, `${kind} at ${stage}`).toContain(kind);
      }
    }
  });
});

describe("A provider's hint", () => {
  const rowsByProvider = PROVIDERS.flatMap((provider) =>
    provider.rows.map((row) => ({ provider, row, title: provider.title, reply: row.example.reply })),
  );

  it.each(rowsByProvider)("of $title is not given at other providers: $reply", ({ provider, row }) => {
    for (const { exampleHost } of PROVIDERS.filter((other) => other !== provider)) {
      const symptom = symptomOf({ ...row.example, settings: {} }, exampleHost);
      expect(provider.rows).not.toContain(rowFor(symptom));
    }
  });

  it.each(rowsByProvider)("of $title needs the provider's host or mark: $reply", ({ provider, row }) => {
    const selected = rowFor(symptomOf({ ...row.example, settings: {} }, "mail.example.net"));
    const marked = provider.mark?.test(row.example.reply ?? "") ?? false;
    expect(provider.rows.includes(selected)).toBe(marked);
  });

  it.each([
    ["smtp.gmail.com.example.net"],
    ["notgmail.com"],
    ["ec2-192-0-2-7.eu-west-1.compute.amazonaws.com"],
    ["vps-0123abcd.vps.ovh.net"],
    ["zoho.example.net"],
  ])("is not given for %s", (host) => {
    expect(PROVIDERS.filter((provider) => provider.host.test(host))).toEqual([]);
  });

  it.each([
    ["smtp-relay.gmail.com", "Gmail and Google Workspace"],
    ["smtp-mail.outlook.com", "Microsoft 365 and Outlook.com"],
    ["smtp-hve.office365.com", "Microsoft 365 and Outlook.com"],
    ["email-smtp.us-gov-west-1.amazonaws.com", "Amazon SES"],
    ["email-smtp-fips.us-east-1.amazonaws.com", "Amazon SES"],
    ["smtp.eu.mailgun.org", "Mailgun"],
    ["smtp-broadcasts.postmarkapp.com", "Postmark"],
    ["smtp-relay.sendinblue.com", "Brevo"],
    ["smtp.eu.sparkpostmail.com", "SparkPost"],
    ["smtp.aol.com", "Yahoo and AOL"],
    ["smtppro.zoho.com.au", "Zoho Mail"],
    ["smtp.yandex.ru", "Yandex"],
    ["pro1.mail.ovh.net", "OVHcloud"],
    ["smtp.ionos.co.uk", "IONOS"],
    ["smtps.pec.aruba.it", "Aruba"],
    ["mail.gmx.com", "GMX and WEB.DE"],
    ["smtp.web.de", "GMX and WEB.DE"],
    ["smtp.exmail.qq.com", "QQ Mail and Tencent Exmail"],
    ["smtp.vip.163.com", "NetEase (163, 126, yeah.net)"],
    ["smtp.mx.cloudflare.net", "Cloudflare Email Service"],
  ])("is given for %s (%s)", (host, title) => {
    expect(PROVIDERS.filter((provider) => provider.host.test(host))).toMatchObject([{ title }]);
  });
});
