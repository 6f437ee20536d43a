import { describe, expect, it, vi } from "vitest";
import { SmtpSession } from "../../src/smtp/session.ts";
import { authenticated, greets } from "../support/smtp/scripts.ts";
import { scriptedServer } from "../support/smtp/servers.ts";
import { newSession } from "../support/smtp/sessions.ts";

/** Opens a session, and asks this source whether the host exists. */
async function kindOf(port: number, hostExists: (host: string) => Promise<boolean | undefined>) {
  const { settings } = newSession({ port });
  const options = { clientName: "mail.example.com", allowPrivateHosts: true, hostExists };
  const result = await new SmtpSession(settings, options).open();
  return result.ok ? undefined : result.failure.kind;
}

describe("A session whose connection fails", () => {
  it.each([
    [false, "unknown_host"],
    [true, "not_connected"],
    [undefined, "not_connected"],
  ])("asks once whether the host exists: %j leads to %s", async (exists, kind) => {
    const hostExists = vi.fn(async () => exists);
    expect(await kindOf(1, hostExists)).toBe(kind);
    expect(hostExists.mock.calls).toEqual([["localhost"]]);
  });
});

describe("A session does not ask whether the host exists", () => {
  it.each([
    ["if the server connects, and then fails", [...greets, { close: true as const }], "not_smtp"],
    ["if it opens", authenticated(), undefined],
  ])("%s", async (_, script, kind) => {
    const hostExists = vi.fn(async () => false);
    const { port } = await scriptedServer(script);
    expect(await kindOf(port, hostExists)).toBe(kind);
    expect(hostExists).not.toHaveBeenCalled();
  });
});
