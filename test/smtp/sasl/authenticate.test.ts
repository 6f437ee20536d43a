import { describe, expect, it } from "vitest";
import { authenticate } from "../../../src/smtp/sasl/authenticate.ts";
import type { Mechanism } from "../../../src/smtp/sasl/mechanism.ts";
import { TransportError } from "../../../src/smtp/transport-error.ts";

const base64 = (text: string) => Buffer.from(text, "utf8").toString("base64");

/** A mechanism that begins, or leaves that to the server, and has these further responses. */
function mechanism(name: string, initialResponse?: string, ...responses: string[]): Mechanism {
  return {
    name,
    secrets: [],
    next: () => responses.shift(),
    ...(initialResponse !== undefined && { initialResponse }),
  };
}

/** A server that gives these replies in turn, and what it received. */
function server(...replies: (string | Error)[]) {
  const lines: string[] = [];
  const command = async (line: string) => {
    const reply = replies[lines.length];
    lines.push(line);
    if (reply === undefined) throw new Error("no reply is left");
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { lines, command };
}

describe("authenticate", () => {
  it("sends the initial response with AUTH", async () => {
    const { lines, command } = server("235 ok");
    expect(await authenticate([mechanism("A", "first")], command)).toMatchObject({ reply: "235 ok" });
    expect(lines).toEqual([`AUTH A ${base64("first")}`]);
  });

  it("answers challenges in base64, and an empty response with an empty line", async () => {
    const { lines, command } = server("334 eA==", "334 ", "235 ok");
    await authenticate([mechanism("A", undefined, "one", "")], command);
    expect(lines).toEqual(["AUTH A", base64("one"), ""]);
  });

  // "AUTH A " and CRLF leave 503 octets, and base64 has a multiple of four.
  it.each([
    [375, true],
    [376, false],
  ])("sends an initial response of %i octets with AUTH: %j (RFC 4954 section 4)", async (length, isSent) => {
    const response = "x".repeat(length);
    const { lines, command } = server(...(isSent ? ["235 ok"] : ["334 ", "235 ok"]));
    expect(await authenticate([mechanism("A", response)], command)).toMatchObject({ reply: "235 ok" });
    expect(lines).toEqual(isSent ? [`AUTH A ${base64(response)}`] : ["AUTH A", base64(response)]);
    for (const line of lines.slice(0, 1)) expect(line.length + 2).toBeLessThanOrEqual(512);
  });

  it("takes a 334 without a space for a challenge (RFC 5321 section 4.2.1)", async () => {
    const { lines, command } = server("334", "235 ok");
    await authenticate([mechanism("A", undefined, "one")], command);
    expect(lines).toEqual(["AUTH A", base64("one")]);
  });

  it.each(["334x", "3340", "334-more\n334 eA=="])("does not take %j for one", async (reply) => {
    const { lines, command } = server(reply);
    expect(await authenticate([mechanism("A", undefined, "one")], command)).toMatchObject({ reply });
    expect(lines).toEqual(["AUTH A"]);
  });

  it("hands over the bytes of a challenge, and nothing if it is not base64", async () => {
    const challenges: unknown[] = [];
    const next = (challenge: Buffer | undefined) => {
      challenges.push(challenge?.toString("latin1"));
      return "";
    };
    const { command } = server("334 /w==", "334", "334 a b", "235 ok");
    await authenticate([{ name: "A", secrets: [], next }], command);
    expect(challenges).toEqual(["\xff", "", undefined]);
  });

  it("returns the text of the last challenge that was answered", async () => {
    const { command } = server(`334 ${base64("no größe")}`, "535 no");
    expect(await authenticate([mechanism("A", "first", "")], command)).toMatchObject({
      reply: "535 no",
      challenge: "no größe",
    });
    const withoutChallenge = server("535 no");
    expect(await authenticate([mechanism("A", "first")], withoutChallenge.command)).not.toHaveProperty(
      "challenge",
    );
  });
});

describe("authenticate cancels (RFC 4954 section 4)", () => {
  it.each([
    ["and the server obeys", "501 canceled"],
    ["and the server asks on", "334 bW9yZQ=="],
    ["and the server closes", new TransportError("closed")],
  ])("a challenge that the mechanism does not know, %s", async (_, last) => {
    const { lines, command } = server("334 eA==", "334 eQ==", last);
    const result = await authenticate([mechanism("A", undefined, "one"), mechanism("B", "first")], command);
    expect(result).toMatchObject({ mechanism: { name: "A" }, reply: "334 eQ==" });
    expect(lines).toEqual(["AUTH A", base64("one"), "*"]);
  });
});

describe("authenticate with several mechanisms", () => {
  const both = () => [mechanism("A", "one"), mechanism("B", "two")] as const;

  it.each(["500 5.5.2 what?", "501 5.5.4 no", "504 5.5.4 Unrecognized authentication type", "504"])(
    "tries the next after %s",
    async (refusal) => {
      const { lines, command } = server(refusal, "235 ok");
      expect(await authenticate(both(), command)).toMatchObject({
        mechanism: { name: "B" },
        reply: "235 ok",
      });
      expect(lines).toHaveLength(2);
    },
  );

  it.each([
    "535 5.7.8 Authentication failed",
    "534 5.7.9 too weak",
    "530 5.7.0 required",
    "454 4.7.0 later",
    "432 4.7.12 transition",
    "421 4.7.0 closing",
    "502 5.5.1 not here",
    "503 5.5.1 not now",
    "550 5.7.1 no",
    "5040 no reply",
  ])("tries no other after %s, which may have counted as a failed login", async (reply) => {
    const { lines, command } = server(reply);
    expect(await authenticate(both(), command)).toMatchObject({ mechanism: { name: "A" }, reply });
    expect(lines).toHaveLength(1);
  });

  it("tries each once, and returns the last reply if all are refused", async () => {
    const { lines, command } = server("504 no A", "500 no B", "504 no C");
    const result = await authenticate([...both(), mechanism("C", "three")], command);
    expect(result).toMatchObject({ mechanism: { name: "C" }, reply: "504 no C" });
    expect(lines).toHaveLength(3);
  });

  it("returns the refusal of a server that then closes", async () => {
    const { command } = server("504 no A", new TransportError("closed"));
    expect(await authenticate(both(), command)).toMatchObject({
      mechanism: { name: "A" },
      reply: "504 no A",
    });
  });

  it.each([
    ["a timeout", new TransportError("timeout")],
    ["a reply that closes", new TransportError("closed", "421 4.7.0 busy")],
  ])("throws %s at the next", async (_, error) => {
    const { command } = server("504 no A", error);
    await expect(authenticate(both(), command)).rejects.toBe(error);
  });

  it("throws a close at the first", async () => {
    const error = new TransportError("closed");
    await expect(authenticate(both(), server(error).command)).rejects.toBe(error);
  });
});
