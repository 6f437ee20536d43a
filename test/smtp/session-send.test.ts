import { describe, expect, it } from "vitest";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, replies } from "../support/smtp/scripts.ts";
import { mailServer, scriptedServer } from "../support/smtp/servers.ts";
import {
  diagnosisOf,
  expectClosed,
  openSession,
  receivedMail,
  sampleMail,
  stepsOf,
} from "../support/smtp/sessions.ts";

describe.concurrent("SMTP session that sends a mail", () => {
  it("announces the client's own name in EHLO, before and after TLS", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    await stepsOf(server);
    const { lines } = await server.state();
    expect(lines.filter((line) => line === "EHLO mail.example.com")).toHaveLength(2);
  });

  it("delivers the text unchanged, including dots at the beginning of lines", async () => {
    const server = await mailServer();
    const text = ".\r\n..\r\n.hidden\r\na.\r\n.\r\n";
    await stepsOf(server, { mail: { text } });
    expect((await receivedMail(server)).raw).toContain(`\r\n\r\n${text}`);
  });

  it("doubles such dots on the wire (RFC 5321 section 4.5.2)", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    await stepsOf(server, { mail: { text: ".\n.hidden\n" } });
    expect((await server.state()).lines).toEqual(expect.arrayContaining(["..", "..hidden", "."]));
  });

  it("sends no bare CR or LF, whatever line endings the text uses", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    await stepsOf(server, { mail: { text: "a\nb\rc\r\nd", html: "<p>\na\rb</p>" } });
    const { lines } = await server.state();
    expect(lines).toEqual(expect.arrayContaining(["a", "b", "c", "d"]));
    expect(lines.join("")).not.toMatch(/[\r\n]/);
  });

  it("sends domains in punycode, in the envelope and the header", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    const settings = { from: "a@bücher.example", envelopeFrom: "c@straße.example" };
    await stepsOf(server, { settings, mail: { to: "d@münchen.example" } });
    expect((await server.state()).lines).toEqual(
      expect.arrayContaining([
        "MAIL FROM:<c@xn--strae-oqa.example>",
        "RCPT TO:<d@xn--mnchen-3ya.example>",
        "From: a@xn--bcher-kva.example",
      ]),
    );
  });

  it("sends the commands at once with PIPELINING (RFC 2920), if asked to", async () => {
    const server = await scriptedServer([
      ...authenticated("PIPELINING"),
      { expect: "DATA" },
      { send: "250 2.1.0 ok\r\n250 2.1.5 ok\r\n354 go ahead\r\n" },
      ...replies(".", "250 2.0.0 queued"),
    ]);
    const stages = (await stepsOf(server, { pipelining: true })).map(({ stage }) => stage);
    expect(stages.slice(-3)).toEqual(["sender", "recipient", "message"]);
  });

  it.each([
    ["if it is not asked to send them at once", "PIPELINING", false],
    ["without PIPELINING", "HELP", true],
  ])("waits for each reply %s", async (_, extension, pipelining) => {
    const server = await scriptedServer([
      ...authenticated(extension),
      { expect: "MAIL" },
      // Leaves a pipelining client time to send more.
      { drip: "25", everyMs: 50 },
      { close: true },
    ]);
    expect(await diagnosisOf(server, { pipelining })).toMatchObject({
      stage: "sender",
      message: "The SMTP server closed the connection while handling the sender.",
    });
    expect((await server.state()).lines.at(-1)).toBe("MAIL FROM:<sender@example.com>");
  });

  it("delivers to a server without PIPELINING", async () => {
    const server = await mailServer({ without: ["PIPELINING"] });
    await stepsOf(server, { pipelining: true });
    expect((await receivedMail(server)).rcptTo).toEqual([sampleMail.to]);
  });

  it("announces the size if the server offers SIZE (RFC 1870)", async () => {
    const server = await scriptedServer([...authenticated("SIZE 100000"), ...acceptsMail]);
    await stepsOf(server);
    expect((await server.state()).lines).toContainEqual(
      expect.stringMatching(/^MAIL FROM:<sender@example\.com> SIZE=\d{3}$/),
    );
  });

  it("sends nothing of a mail above the server's SIZE", async () => {
    const server = await scriptedServer([...authenticated("SIZE 10"), { hang: true }]);
    expect(await diagnosisOf(server)).toMatchObject({
      message: "The message exceeds the SMTP server's size limit.",
      stage: "message",
      hint: "The message exceeds the server's size limit: send a smaller one.",
    });
    expect((await server.state()).lines.filter((line) => line.startsWith("MAIL"))).toEqual([]);
    await expectClosed(server);
  });
});

// test/smtp/envelope.test.ts has every address that requires it.
describe.concurrent("SMTPUTF8 (RFC 6531)", () => {
  it("is announced if an address requires it", async () => {
    const server = await scriptedServer([...authenticated("SMTPUTF8"), ...acceptsMail]);
    await stepsOf(server, { mail: { to: "δοκιμή@example.org" } });
    expect((await server.state()).lines).toContain("MAIL FROM:<sender@example.com> SMTPUTF8");
  });

  it("delivers non-ASCII addresses unchanged", async () => {
    const server = await mailServer();
    const settings = { from: "jörg@bücher.example" };
    await stepsOf(server, { settings, mail: { to: "δοκιμή@παράδειγμα.example" } });
    expect(await receivedMail(server)).toMatchObject({
      mailFrom: expect.stringMatching(/^jörg@/),
      rcptTo: [expect.stringMatching(/^δοκιμή@/)],
    });
  });

  it.each([
    ["sender", { replyTo: "jörg@example.com" }, {}],
    ["recipient", {}, { to: "δοκιμή@example.org" }],
  ])("fails at the %s if the server lacks it", async (stage, settings, mail) => {
    const server = await mailServer({ without: ["SMTPUTF8"] });
    expect(await diagnosisOf(server, { settings, mail })).toMatchObject({
      stage,
      message: `The address of the ${stage} requires SMTPUTF8, which the SMTP server does not support.`,
      hint: expect.stringContaining("only ASCII characters before the @"),
    });
    expect((await server.state()).messages).toEqual([]);
    await expectClosed(server);
  });
});

describe.concurrent("SMTP session that calls onMessage", () => {
  it.each([
    ["once for an accepted mail", {}, 1],
    ["not for a rejected one", { recipient: "550 5.1.1 unknown" }, 0],
  ])("calls it %s", async (_, reject, expected) => {
    const server = await mailServer({ reject });
    const { session, message } = await openSession(server);
    let calls = 0;
    await session.send(message, { onMessage: () => calls++ });
    expect(calls).toBe(expected);
    session.close();
  });

  it("calls it before the message, and closes without it if it throws", async () => {
    const server = await scriptedServer([...authenticated(), ...acceptsMail]);
    const { session, message } = await openSession(server);
    const onMessage = () => {
      throw new RangeError("out of space");
    };
    await expect(session.send(message, { onMessage })).rejects.toThrow("out of space");
    await expectClosed(server);
    expect((await server.state()).lines.slice(-1)).toEqual(["DATA"]);
    expect(session.isOpen).toBe(false);
  });
});

describe.concurrent("SMTP session with a server that does not reply 354 to DATA", () => {
  const toData = [...replies("MAIL", "250 ok"), ...replies("RCPT", "250 ok")];
  const atOnce: ScriptAction[] = [{ expect: "DATA" }, { send: "250 ok\r\n250 ok\r\n" }];

  // The server would execute the lines of the message as commands.
  it.each([
    ["250 ok", "protocol_error"],
    ["220 ready", "protocol_error"],
    ["334 more", "protocol_error"],
    ["355 go", "protocol_error"],
    ["3540 go", "protocol_error"],
    ["rubbish", "protocol_error"],
    ["451 4.3.0 later", "reply"],
    ["554 5.5.1 no valid recipients", "reply"],
  ])("sends nothing of the message after %s", async (reply, kind) => {
    for (const pipelining of [false, true]) {
      const server = await scriptedServer([
        ...authenticated(...(pipelining ? ["PIPELINING"] : [])),
        ...(pipelining ? atOnce : [...toData, { expect: "DATA" }]),
        { send: `${reply}\r\n` },
      ]);
      const { session, message } = await openSession(server, { pipelining });
      let calls = 0;
      const result = await session.send(message, { onMessage: () => calls++ });
      expect(result).toMatchObject({ failure: { kind, stage: "message", contentSent: false } });
      session.close();
      await expectClosed(server);
      expect(calls).toBe(0);
      const { lines } = await server.state();
      expect(lines.slice(lines.indexOf("DATA") + 1)).toEqual(kind === "reply" ? ["QUIT"] : []);
    }
  });

  it("sends nothing of the message if the server ends the session right after its 354", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      ...toData,
      ...replies("DATA", "354 go\r\n421 4.3.2 shutting down"),
    ]);
    const { session, message } = await openSession(server);
    let calls = 0;
    expect(await session.send(message, { onMessage: () => calls++ })).toMatchObject({
      failure: { kind: "reply", stage: "message", reply: "421 4.3.2 shutting down", contentSent: false },
    });
    await expectClosed(server);
    expect(calls).toBe(0);
    expect((await server.state()).lines.at(-1)).toBe("DATA");
  });
});
