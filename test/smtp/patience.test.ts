import { describe, expect, it, vi } from "vitest";
import { DELIVERY_TIMEOUTS, type SmtpTimeouts, TEST_TIMEOUTS } from "../../src/smtp/timeouts.ts";
import { IMPLICIT_TLS_PORTS } from "../../src/smtp/tls-mode.ts";
import { freezeClock, until, untilReceived, watch } from "../support/smtp/frozen-clock.ts";
import type { ScriptAction } from "../support/smtp/scripted-server.ts";
import { acceptsMail, authenticated, greets } from "../support/smtp/scripts.ts";
import { scriptedServer, type TestServer } from "../support/smtp/servers.ts";
import { diagnosisOf, stepsOf } from "../support/smtp/sessions.ts";

const hang: ScriptAction = { hang: true };

describe("A session of a test", () => {
  const limitsSet = freezeClock();
  /** Waits until the session has set a limit, this many times. */
  const untilSet = (server: TestServer, limitMs: number, times = 1) =>
    until(server, () => limitsSet().filter((set) => set === limitMs).length >= times);

  /** Waits until the session waits for the greeting: the second limit of 30 s, after that of the test. */
  const untilConnected = (server: TestServer) => untilSet(server, 30_000, 2);

  it("waits for a greeting as long as the test may take in all", async () => {
    const server = await scriptedServer([{ wait: true }, ...authenticated(), ...acceptsMail]);
    const session = watch(stepsOf(server));
    await untilConnected(server);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(session.ended).toBe(false);
    await server.release();
    expect(await session.work).toMatchObject([
      { stage: "connect" },
      { stage: "greeting" },
      {},
      {},
      {},
      {},
      {},
    ]);
  });

  it("waits for a reply as long", async () => {
    const server = await scriptedServer([
      ...authenticated(),
      { expect: "MAIL" },
      { wait: true as const },
      { send: "250 ok\r\n" },
      ...acceptsMail.slice(2),
    ]);
    const session = watch(stepsOf(server));
    await untilReceived(server, "MAIL");
    await vi.advanceTimersByTimeAsync(29_999);
    expect(session.ended).toBe(false);
    await server.release();
    expect((await session.work).at(-1)).toMatchObject({ stage: "message" });
  });

  it("ends after 30 s of silence, and says so", async () => {
    const server = await scriptedServer([hang]);
    const session = watch(diagnosisOf(server));
    await untilConnected(server);
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await session.work).toMatchObject({
      stage: "greeting",
      message: "The host accepted the connection, but sent nothing for 30 s.",
      hint: expect.stringContaining("If the port expects implicit TLS, set ssl to true"),
    });
  });

  it("names the seconds of a shorter time limit in the settings", async () => {
    const server = await scriptedServer([hang]);
    const session = watch(diagnosisOf(server, { settings: { timeout: 1_200 } }));
    await untilSet(server, 1_200);
    await vi.advanceTimersByTimeAsync(1_200);
    expect((await session.work).message).toMatch(/ sent nothing for 1\.2 s\.$/);
  });

  it.each([
    ["bytes that are no greeting", [{ send: "hello\r\n" }, hang]],
    ["a greeting, and no reply to EHLO", [...greets, hang]],
    ["the beginning of a greeting", [{ send: "220-mx" }, hang]],
    ["nothing, and closes", [{ close: true as const }]],
  ])("tells from silence a server that sends %s", async (_, script) => {
    const server = await scriptedServer(script);
    const session = watch(diagnosisOf(server));
    // The first byte sets the limit of the greeting again. The server may also end the session at once.
    await until(server, () => session.ended || limitsSet().filter((set) => set === 30_000).length >= 3);
    if (!session.ended) await vi.advanceTimersByTimeAsync(30_000);
    expect(await session.work).toMatchObject({
      stage: "greeting",
      message: "The host accepted the connection, but did not respond as an SMTP server.",
    });
  });

  // The clock stands still, so any wait would be endless.
  it("does not wait for a server that closes before its greeting", async () => {
    const server = await scriptedServer([{ close: true }]);
    expect(await diagnosisOf(server)).toMatchObject({ stage: "greeting" });
  });

  describe("on a port for implicit TLS without ssl", () => {
    /** Takes the port of the server for 465. */
    function session(server: TestServer, timeouts: Partial<SmtpTimeouts> = {}) {
      vi.spyOn(IMPLICIT_TLS_PORTS, "includes").mockReturnValue(true);
      return watch(diagnosisOf(server, { timeouts }));
    }

    it("ends after 5 s of silence, and says that the port expects implicit TLS", async () => {
      const server = await scriptedServer([hang]);
      const { work } = session(server);
      await untilSet(server, 5_000);
      await vi.advanceTimersByTimeAsync(5_000);
      expect(await work).toMatchObject({
        stage: "greeting",
        message: "The host accepted the connection, but sent nothing for 5 s.",
        hint: expect.stringMatching(/^Set ssl to true: ports 465 and 2465 usually expect implicit TLS/),
      });
    });

    it("waits on once a byte has arrived", async () => {
      const server = await scriptedServer([{ send: "2" }, hang]);
      const slow = session(server);
      // Of the test, and of the greeting.
      await untilSet(server, 30_000, 2);
      await vi.advanceTimersByTimeAsync(29_999);
      expect(slow.ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await slow.work).message).toMatch(/did not respond as an SMTP server/);
    });

    it("waits in a delivery as long as on any port", async () => {
      const server = await scriptedServer([hang]);
      const slow = session(server, DELIVERY_TIMEOUTS);
      await untilSet(server, 30_000);
      await vi.advanceTimersByTimeAsync(29_999);
      expect(slow.ended).toBe(false);
      await vi.advanceTimersByTimeAsync(1);
      expect((await slow.work).message).toMatch(/ sent nothing for 30 s\.$/);
    });
  });
});

describe("The time limits of a delivery", () => {
  it.each(Object.keys(TEST_TIMEOUTS) as (keyof SmtpTimeouts)[])(
    "are no shorter than those of a test: %s",
    (limit) => {
      expect(DELIVERY_TIMEOUTS[limit]).toBeGreaterThanOrEqual(TEST_TIMEOUTS[limit]);
    },
  );
});
