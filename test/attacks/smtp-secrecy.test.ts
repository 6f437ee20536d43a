import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { withLog } from "../support/request-lines.ts";
import { failureOf, stepsOf } from "../support/smtp/conversations.ts";
import { authenticated, replies, secured, takesMail } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import { newTester } from "../support/smtp/tester.ts";

const password = "S3cret+/= pässwörd";
const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");
const forms = [password, base64(password), base64(`\0postmaster\0${password}`)];

function expectNoSecret(text: string): void {
  for (const form of forms) expect(text).not.toContain(form);
  expect(text).not.toMatch(/AUTH (PLAIN|LOGIN|CRAM-MD5) (?!\*\*\*)\S/);
}

describe("credentials that a server repeats do not reach the diagnosis", () => {
  it.each(forms)("in the form %s", async (form) => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", `535-5.7.8 you said: AUTH PLAIN ${form}\r\n535 5.7.8 and ${form} is wrong`),
      { hang: true },
    ]);
    const diagnosis = await failureOf(server, { password });
    expect(diagnosis).toMatchObject({
      stage: "authentication",
      reply: "you said: AUTH PLAIN *** and *** is wrong",
    });
    expectNoSecret(JSON.stringify(diagnosis));
  });

  it("but later replies stay as they are: blotted, they would tell whether a guess is the password", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...replies("MAIL", "250 ok"),
      ...replies("RCPT", "250 ok"),
      ...replies("DATA", "354 ok"),
      ...replies(".", `250 2.0.0 queued for ${password}`),
      { hang: true },
    ]);
    expect((await stepsOf(server, { password })).at(-1)).toMatchObject({ reply: `queued for ${password}` });
  });

  it("and a password that looks like a code leaves the codes as they are", async () => {
    const server = await scriptedServer([
      ...secured("AUTH PLAIN"),
      ...replies("AUTH", "535 5.7.8 wrong: 535"),
      { hang: true },
    ]);
    expect(await failureOf(server, { password: "535" })).toMatchObject({
      smtpCode: 535,
      enhancedCode: "5.7.8",
      reply: "wrong: ***",
    });
  });
});

describe("neither answers nor logs have credentials or AUTH lines", () => {
  it.each(["PLAIN", "LOGIN", "CRAM-MD5"])(
    "in a session of successes and failures by %s",
    async (mechanism) => {
      const tester = await newTester(families[0]);
      const server = await mailServer({ mechanisms: [mechanism] });
      const settings = localSettings(server.port, { password });
      const { result, lines } = await withLog(async () => [
        await tester.test({ settings }),
        await tester.test({ settings, mode: "probe" }),
        await tester.save(settings, "?verify=true"),
        await tester.save(localSettings(server.port)),
        await tester.test(),
      ]);
      expect(result.map(({ httpStatus }) => httpStatus)).toEqual([502, 502, 502, 200, 200]);
      expect(lines).toHaveLength(result.length);
      expectNoSecret(JSON.stringify(result));
      expectNoSecret(lines.join("\n"));
      expect(lines.join("\n")).not.toMatch(/correct horse|Y29ycmVjdCBob3JzZQ|postmaster/);
    },
  );

  it("though a failure is logged with its stage and code", async () => {
    const tester = await newTester(families[0]);
    const server = await mailServer();
    const settings = localSettings(server.port, { password });
    const { lines } = await withLog(() => tester.test({ settings }));
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { status: 502, refusal: "smtp_failed", stage: "authentication", smtpCode: 535 },
    ]);
  });
});

describe("a reply is cleaned", () => {
  async function replyOf(text: string): Promise<string | undefined> {
    const server = await scriptedServer([...secured("AUTH PLAIN"), ...replies("AUTH", text), { hang: true }]);
    return (await failureOf(server)).reply;
  }

  it("of control characters, escape sequences and what turns text around", async () => {
    expect(
      await replyOf("535 \u001b[31mred\u001b[0m \u0000\u0007bell \u202eevil\u2066 \u200bend\u0085"),
    ).toBe("[31mred [0m bell evil end");
  });

  it("to at most 200 characters", async () => {
    expect(await replyOf(`535 ${"long ".repeat(2_000)}`)).toBe("long ".repeat(40));
  });

  it("to one line", async () => {
    expect(await replyOf("535-5.7.8 first\r\n535-5.7.8 second\r\n535 5.7.8 third")).toBe(
      "first second third",
    );
  });
});

it("a mail is taken after all that, so that the servers above are no dead ends", async () => {
  const server = await scriptedServer([...authenticated(), ...takesMail]);
  expect(await stepsOf(server, { password })).toHaveLength(7);
});
