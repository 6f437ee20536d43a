import { describe, expect, it } from "vitest";
import { families } from "../support/families.ts";
import { localSettings } from "../support/local-settings.ts";
import { deliver } from "../support/smtp/conversations.ts";
import { authenticated, takesMail } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newTester } from "../support/smtp/tester.ts";

const breaks = [
  ["CRLF", "\r\n"],
  ["CR", "\r"],
  ["LF", "\n"],
  ["NUL", "\0"],
] as const;

const fields = [
  ["host", (evil: string) => ({ host: `localhost${evil}` })],
  ["from", (evil: string) => ({ from: `a@example.com>${evil}` })],
  ["envelopeFrom", (evil: string) => ({ envelopeFrom: `a@example.com>${evil}` })],
  ["replyTo", (evil: string) => ({ replyTo: `a@example.com${evil}` })],
  ["fromDisplayName", (evil: string) => ({ fromDisplayName: `Ada${evil}` })],
  ["replyToDisplayName", (evil: string) => ({ replyTo: "a@example.com", replyToDisplayName: `Ada${evil}` })],
  ["user", (evil: string) => ({ user: `postmaster${evil}` })],
  ["password", (evil: string) => ({ password: `secret${evil}` })],
] as const;

describe.each(breaks)("%s", (_, control) => {
  const evil = `${control}Bcc: eve@example.com`;

  it.each(fields)("in %s is refused before anybody is dialled", async (field, changes) => {
    const tester = await newTester(families[0]);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port, changes(evil));
    for (const answer of [await tester.test({ settings }), await tester.save(settings, "?verify=true")]) {
      expect(answer).toMatchObject({ httpStatus: 400, body: { status: "BAD_REQUEST" } });
      expect(JSON.stringify(answer.body)).toContain(field);
    }
    expect((await server.findings()).connections).toBe(0);
    expect(await tester.ada.sealed()).toBeNull();
  });

  it("in `to` is refused before anybody is dialled", async () => {
    const tester = await newTester(families[0]);
    const server = await scriptedServer([]);
    const settings = localSettings(server.port);
    expect(await tester.test({ settings, to: `a@example.com${evil}` })).toMatchObject({
      httpStatus: 400,
      body: { errors: [{ field: "to" }] },
    });
    expect((await server.findings()).connections).toBe(0);
  });

  it.each([
    ["recipient", { to: `reader@example.org>${control}RCPT TO:<eve@example.com` }],
    ["subject", { subject: `Hello${evil}` }],
    ["id", { id: `id${evil}` }],
  ])(
    "in a mail's %s makes no line of its own, even where nobody looked before",
    async (_, mail) => {
      const server = await scriptedServer([...authenticated("SMTPUTF8"), ...takesMail]);
      await deliver(server, {}, mail).catch(() => {});
      const { lines } = await server.findings();
      expect(lines[0]).toBe("EHLO mail.example.com");
      for (const line of lines) expect(line).not.toMatch(/[\r\n\0]|^Bcc:|^RCPT TO:<eve/i);
    },
    15_000,
  );
});
