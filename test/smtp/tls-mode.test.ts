import { describe, expect, it } from "vitest";
import { tlsMode } from "../../src/smtp/tls-mode.ts";

describe("tlsMode", () => {
  it.each([
    { ssl: true, starttls: false, port: 465, mode: "implicit" },
    { ssl: true, starttls: false, port: 587, mode: "implicit" },
    { ssl: true, starttls: true, port: 587, mode: "implicit" },
    { ssl: true, starttls: true, port: 465, mode: "implicit" },
    { ssl: false, starttls: true, port: 587, mode: "starttls" },
    { ssl: false, starttls: true, port: 465, mode: "starttls" },
    { ssl: false, starttls: true, port: 2525, mode: "starttls" },
    { ssl: false, starttls: false, port: 465, mode: "implicit" },
    { ssl: false, starttls: false, port: 587, mode: "opportunistic" },
    { ssl: false, starttls: false, port: 2525, mode: "opportunistic" },
  ])("returns $mode for ssl $ssl, starttls $starttls and port $port", ({ mode, ...settings }) => {
    expect(tlsMode(settings)).toBe(mode);
  });
});
