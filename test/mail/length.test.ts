import { afterEach, describe, expect, it, vi } from "vitest";
import { emailAddressProblem } from "../../src/mail/address.ts";
import { parseHost } from "../../src/mail/host.ts";
import { newAdministrator } from "../support/administrator.ts";
import { families } from "../support/families.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** The URL parser takes 110 ms of CPU for this IDN: its time is quadratic. */
const LONG_IDN = "漢".repeat(5_300);

const TOO_LONG = "must have at most 253 characters";
const OCTETS_BEFORE_AT = "must have at most 64 octets before the @";

describe("a long host", () => {
  it.each([
    ["a label in another script", LONG_IDN],
    ["many labels", "漢.".repeat(2_650)],
    ["ASCII", `${"a.".repeat(2_650)}example`],
    ["IPv6 in brackets", `[${"1:".repeat(2_650)}]`],
    ["a character more than the limit", "a".repeat(507)],
  ])("is rejected without parsing: %s", (_, host) => {
    const parse = vi.spyOn(URL, "parse");
    expect(parseHost(host)).toEqual({ problem: TOO_LONG });
    expect(parse).not.toHaveBeenCalled();
  });

  it("is parsed up to 506 UTF-16 code units, as 253 characters may take", () => {
    const parse = vi.spyOn(URL, "parse");
    expect(parseHost("𐍈".repeat(253))).toHaveProperty("problem");
    expect(parse).toHaveBeenCalledOnce();
  });

  it("is accepted with 253 characters", () => {
    const host = `${"a.".repeat(123)}example`;
    expect(host).toHaveLength(253);
    expect(parseHost(host)).toEqual({ host });
  });
});

describe("a long address", () => {
  it.each([
    ["a long domain", `a@${LONG_IDN}.example`, "must have at most 254 octets"],
    ["a long local part", `${LONG_IDN}@example.com`, "must have at most 254 octets"],
    ["a long local part within 254 octets", `${"漢".repeat(22)}@example.com`, OCTETS_BEFORE_AT],
    ["no @", LONG_IDN, "must have at most 254 octets"],
  ])("is rejected without parsing: %s", (_, address, problem) => {
    const parse = vi.spyOn(URL, "parse");
    expect(emailAddressProblem(address)).toBe(problem);
    expect(parse).not.toHaveBeenCalled();
  });
});

describe("a request with a long host", () => {
  it.each(["host", "from", "replyTo", "envelopeFrom"])(
    "never reaches the URL parser by %s",
    async (field) => {
      const ada = await newAdministrator(families[0].address);
      const parsed = vi.spyOn(URL, "parse");
      const value = field === "host" ? LONG_IDN : `a@${LONG_IDN}`;
      const settings = { host: "smtp.example.net", from: "a@example.com", [field]: value };
      expect(await ada.save(settings, { env: {} })).toMatchObject({
        httpStatus: 400,
        body: { errors: [{ field, message: expect.stringMatching(/^must have at most 25[34] /) }] },
      });
      expect(parsed.mock.calls.filter(([url]) => String(url).includes("漢"))).toEqual([]);
      expect(await ada.sealed()).toBeNull();
    },
  );
});
