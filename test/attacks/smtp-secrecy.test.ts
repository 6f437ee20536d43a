import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { captureLog } from "../support/log.ts";
import { acceptsMail, authenticated, replies, secured } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { diagnosisOf, stepsOf } from "../support/smtp/sessions.ts";
import { newSmtpTestClient } from "../support/smtp/smtp-test-client.ts";

const password = "S3cret+/= pässwörd";
const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
const encodings = [
  password,
  base64(password),
  base64(`\0postmaster\0${password}`),
  encodeURIComponent(password),
  new URLSearchParams({ "": password }).toString().slice(1),
  password.replaceAll("/", "&#x2F;").replaceAll("=", "&#61;").replaceAll("ö", "&#246;"),
];

function expectNoSecret(text: string): void {
  for (const encoding of encodings) expect(text).not.toContain(encoding);
  expect(text).not.toMatch(/AUTH (PLAIN|LOGIN|CRAM-MD5) (?!\*\*\*)\S/);
}

describe("A diagnosis", () => {
  it.each(encodings)("redacts credentials that the server repeats (%s)", async (encoded) => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", `535-5.7.8 you said: AUTH PLAIN ${encoded}\r\n535 5.7.8 and ${encoded} is wrong`),
      { hang: true },
    ]);
    const diagnosis = await diagnosisOf(server, { settings: { password } });
    expect(diagnosis).toMatchObject({
      stage: "authentication",
      reply: "you said: AUTH PLAIN *** and *** is wrong",
    });
    expectNoSecret(JSON.stringify(diagnosis));
  });

  it("redacts the digest of CRAM-MD5, and what was sent for mechanisms that the server refused", async () => {
    const digest = createHmac("md5", password).update("<a@b>").digest("hex");
    const response = base64(`postmaster ${digest}`);
    const forms = [...encodings, digest, base64(digest), response, `postmaster ${digest}`];
    const server = await scriptedServer([
      ...secured("AUTH PLAIN CRAM-MD5"),
      ...replies("AUTH PLAIN", "504 5.5.4 no"),
      ...replies("AUTH CRAM-MD5", `334 ${base64("<a@b>")}`),
      ...replies(response, `535 5.7.8 ${forms.join(" ")}`),
      { hang: true },
    ]);
    const diagnosis = await diagnosisOf(server, { settings: { password } });
    expect(diagnosis.reply).toBe(forms.map(() => "***").join(" "));
  });

  it("redacts what a server repeats before it closes, in place of a reply", async () => {
    const server = await scriptedServer([
      ...secured("AUTH LOGIN"),
      ...replies("AUTH", "334 VXNlcm5hbWU6"),
      ...replies("cG9zdG1hc3Rlcg==", "334 UGFzc3dvcmQ6"),
      ...replies("", `535 5.7.8 no: ${base64(password)}`).slice(1),
      { close: true },
    ]);
    expect((await diagnosisOf(server, { settings: { password } })).reply).toBe("no: ***");
  });

  it("redacts what a server repeats in its reply to the first MAIL of a probe that succeeds", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...replies("MAIL", `450 4.7.0 later, ${password}`),
      { hang: true },
    ]);
    const steps = await stepsOf(server, { settings: { password }, mode: "probe" });
    expect(steps.at(-1)).toMatchObject({ stage: "sender", reply: "450 4.7.0 later, ***" });
  });

  it("keeps the codes if the password looks like one", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "535 5.7.8 wrong: 535"),
      { hang: true },
    ]);
    expect(await diagnosisOf(server, { settings: { password: "535" } })).toMatchObject({
      smtpCode: 535,
      enhancedCode: "5.7.8",
      reply: "wrong: ***",
    });
  });

  it("contains the reply as one printable line", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", `535-\u001b[31mred\u0000 \u202eevil\r\n535 ${"long ".repeat(100)}`),
      { hang: true },
    ]);
    expect((await diagnosisOf(server)).reply).toBe(`[31mred evil ${"long ".repeat(100)}`.slice(0, 200));
  });
});

// Redaction would reveal whether a guess, such as a recipient, is the stored password.
describe("A reply after authentication", () => {
  it("stays unchanged if it is positive", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...acceptsMail.slice(0, -1),
      { send: `250 2.0.0 queued for ${password}\r\n` },
    ]);
    const steps = await stepsOf(server, { settings: { password } });
    expect(steps.at(-1)).toMatchObject({ stage: "message", reply: `queued for ${password}` });
  });

  it.each([
    ["and complete", "\r\n"],
    ["and cut off", ""],
  ])("stays unchanged if it is negative %s", async (_, end) => {
    const server = await scriptedServer([
      ...authenticated(),
      ...replies("MAIL", "250 ok"),
      { expect: "RCPT" },
      { send: `550 ${password} is unknown${end}` },
      { close: true },
    ]);
    const diagnosis = await diagnosisOf(server, { settings: { password } });
    expect(diagnosis).toMatchObject({ stage: "recipient", reply: `${password} is unknown` });
  });
});

/** Authenticates by one mechanism, three times with a wrong password. */
async function useMechanism(mechanism: string) {
  const client = await newSmtpTestClient(families[0]);
  const server = await mailServer({ mechanisms: [mechanism] });
  const settings = localSettings(server.port, { password });
  const rejected = await Promise.all([
    client.test({ settings }),
    client.test({ settings, mode: "probe" }),
    client.save(settings, "?verify=true"),
  ]);
  return [...rejected, await client.save(localSettings(server.port)), await client.test()];
}

describe("Responses and logs", () => {
  it("contain neither credentials nor AUTH lines", async () => {
    const { result, lines } = await captureLog(() =>
      Promise.all(["PLAIN", "LOGIN", "CRAM-MD5"].map(useMechanism)),
    );
    expect(result.flat().map(({ httpStatus }) => httpStatus)).toEqual(
      ["PLAIN", "LOGIN", "CRAM-MD5"].flatMap(() => [502, 502, 502, 200, 200]),
    );
    expect(lines).toHaveLength(15);
    expectNoSecret(JSON.stringify(result));
    expectNoSecret(lines.join("\n"));
    expect(lines.join("\n")).not.toMatch(/correct horse|Y29ycmVjdCBob3JzZQ|postmaster/);
  });

  it("contain the stage and the code of a failure", async () => {
    const client = await newSmtpTestClient(families[0]);
    const server = await mailServer();
    const settings = localSettings(server.port, { password });
    const { lines } = await captureLog(() => client.test({ settings }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { status: 502, error: "smtp_failed", stage: "authentication", smtpCode: 535 },
    ]);
  });
});
