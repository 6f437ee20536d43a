import { IMPLICIT_TLS_PORTS, tlsMode } from "../tls-mode.ts";
import type { Group, Symptom } from "./row.ts";

const SOCKETS = "https://developers.cloudflare.com/workers/runtime-apis/tcp-sockets/";

// By convention; a server may do otherwise.
const STARTTLS_PORTS = [587, 2525, 2587];

const isImplicit = ({ settings }: Symptom) => tlsMode(settings) === "implicit";

/** Failures that the client detects itself. */
export const FAILURES: Group = {
  title: "Connection and session",
  rows: [
    {
      hint: "Set host to a public host name or IP address.",
      cause: "settings",
      source: "https://www.iana.org/assignments/iana-ipv4-special-registry/",
      kinds: ["forbidden_destination"],
      example: { kind: "forbidden_destination", stage: "connect" },
    },
    {
      hint: "Set ssl to false and starttls to true: ports 587, 2525 and 2587 usually expect STARTTLS instead of implicit TLS. If that does not help, check host and port.",
      cause: "settings",
      source: "RFC 6409, RFC 8314 section 3.3",
      kinds: ["not_connected"],
      where: (symptom) => isImplicit(symptom) && STARTTLS_PORTS.includes(symptom.settings.port),
      example: { kind: "not_connected", stage: "connect", settings: { port: 587, ssl: true } },
    },
    {
      hint: "Check host and port. If the port expects STARTTLS, set ssl to false and starttls to true. The TLS handshake may also have failed: because of the certificate (self-signed, expired, or issued for another name), the TLS version, the cipher, or a client certificate that the server requires. Cloudflare Workers do not report which. If all of this is right, the server may be failing: try again later.",
      cause: "server",
      source: `RFC 8314 section 3.3, ${SOCKETS}`,
      kinds: ["not_connected"],
      where: isImplicit,
      example: { kind: "not_connected", stage: "connect", settings: { port: 465, ssl: true } },
    },
    {
      hint: "Check host and port, and that the server accepts connections from the internet.",
      cause: "server",
      source: SOCKETS,
      kinds: ["not_connected"],
      example: { kind: "not_connected", stage: "connect" },
    },
    {
      hint: "Check host and port: TLS began, but the server sent no greeting. It may be overloaded, or delay clients that it does not know: try again later.",
      cause: "server",
      source: "RFC 5321 section 3.1",
      kinds: ["silent"],
      where: isImplicit,
      example: { kind: "silent", stage: "greeting", settings: { port: 465, ssl: true }, silentMs: 30_000 },
    },
    {
      hint: "Set ssl to true: ports 465 and 2465 usually expect implicit TLS, where the server waits for the client. If that does not help, check host and port.",
      cause: "settings",
      source: "RFC 8314 section 3.3",
      kinds: ["silent"],
      where: ({ settings }) => IMPLICIT_TLS_PORTS.includes(settings.port),
      example: {
        kind: "silent",
        stage: "greeting",
        settings: { port: 465, starttls: true },
        silentMs: 5_000,
      },
    },
    {
      hint: "Check host and port. If the port expects implicit TLS, set ssl to true: the server then waits for the client. It may also be overloaded, or delay clients that it does not know: try again later.",
      cause: "server",
      source: "RFC 5321 section 3.1, RFC 8314 section 3.3",
      kinds: ["silent"],
      example: { kind: "silent", stage: "greeting", silentMs: 30_000 },
    },
    {
      hint: "Check host and port: TLS began, but no valid SMTP greeting and EHLO reply arrived in time. The server may also require a client certificate.",
      cause: "server",
      source: "RFC 5321 section 3.1, RFC 8446 section 4.4.2",
      kinds: ["not_smtp"],
      where: isImplicit,
      example: { kind: "not_smtp", stage: "greeting", settings: { port: 443, ssl: true } },
    },
    {
      hint: "Set ssl to true: ports 465 and 2465 usually expect implicit TLS. If that does not help, check host and port.",
      cause: "settings",
      source: "RFC 8314 section 3.3",
      kinds: ["not_smtp"],
      where: ({ settings }) => IMPLICIT_TLS_PORTS.includes(settings.port),
      example: { kind: "not_smtp", stage: "greeting", settings: { port: 465, starttls: true } },
    },
    {
      hint: "Check host and port: no valid SMTP greeting and EHLO reply arrived in time. If the port expects implicit TLS, set ssl to true.",
      cause: "server",
      source: "RFC 5321 section 3.1, RFC 8314 section 3.3",
      kinds: ["not_smtp"],
      example: { kind: "not_smtp", stage: "greeting" },
    },
    {
      hint: "The server does not offer STARTTLS on this port, or something in between removes the offer. Try port 465 with ssl.",
      cause: "settings",
      source: "RFC 3207 section 6, RFC 8314 section 3.3",
      kinds: ["starttls_not_offered"],
      example: { kind: "starttls_not_offered", stage: "tls" },
    },
    {
      hint: "User and password are sent over TLS only, and the server does not offer STARTTLS on this port. Try port 465 with ssl.",
      cause: "settings",
      source: "RFC 8314 section 3.3",
      kinds: ["credentials_need_tls"],
      example: { kind: "credentials_need_tls", stage: "tls" },
    },
    {
      hint: "The cause may be the certificate (self-signed, expired, or issued for a name other than host), the TLS version, the cipher, or a client certificate that the server requires. Cloudflare Workers do not report which. If all of this is right, the server may be failing: try again later, then contact its administrator.",
      cause: "server",
      source: SOCKETS,
      kinds: ["tls_failed"],
      example: { kind: "tls_failed", stage: "tls" },
    },
    {
      hint: "The server may be failing: try again later. If that does not help, it may require a client certificate, which is not supported, or may reject this client: contact its administrator.",
      cause: "server",
      source: "RFC 8446 section 4.4.2",
      kinds: ["ended_after_tls"],
      example: { kind: "ended_after_tls", stage: "authentication" },
    },
    {
      hint: "The server, or an attacker in between, sent unencrypted data where TLS should begin. Contact the server's administrator.",
      cause: "server",
      source: "CVE-2011-0411, RFC 3207 section 6",
      kinds: ["plaintext_injected"],
      example: { kind: "plaintext_injected", stage: "tls" },
    },
    {
      hint: "The server offers AUTH by {mechanisms} only, none of which takes a user and password (PLAIN, LOGIN, CRAM-MD5). Ask the provider how applications can send with a password, or use another server.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 4954 section 3",
      kinds: ["authentication_not_offered"],
      where: ({ mechanisms }) => mechanisms !== undefined && mechanisms.length > 0,
      example: { kind: "authentication_not_offered", stage: "authentication", mechanisms: ["XOAUTH2"] },
    },
    {
      hint: "The server offers no AUTH mechanism for a user and password (PLAIN, LOGIN, CRAM-MD5). Check the port (587 or 465), or set auth to false if the server requires no authentication.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 4954 section 3",
      kinds: ["authentication_not_offered"],
      example: { kind: "authentication_not_offered", stage: "authentication" },
    },
    {
      hint: "The server supports only ASCII characters before the @ of an address: set from (or envelopeFrom) to such an address, or use another server.",
      cause: "settings",
      source: "RFC 6531 section 3.1, RFC 6409 section 6.1",
      kinds: ["smtputf8_not_offered"],
      stages: ["sender"],
      example: { kind: "smtputf8_not_offered", stage: "sender" },
    },
    {
      hint: "The server supports only ASCII characters before the @ of an address. Use another address, or another server.",
      cause: "message",
      source: "RFC 6531 section 3.1",
      kinds: ["smtputf8_not_offered"],
      example: { kind: "smtputf8_not_offered", stage: "recipient" },
    },
    {
      hint: "The server closed the connection after TLS began. It may be failing, may reject this client, or may require a client certificate: try again later, then contact its administrator.",
      cause: "server",
      source: "RFC 8446 section 4.4.2",
      kinds: ["closed"],
      stages: ["authentication"],
      example: { kind: "closed", stage: "authentication" },
    },
    {
      hint: "The server stopped responding. It may be overloaded, or may reject this client: try again later, then contact its administrator.",
      cause: "server",
      source: "RFC 5321 section 4.5.3.2",
      kinds: ["timeout", "closed"],
      example: { kind: "timeout", stage: "message" },
    },
    {
      hint: "The server violates the SMTP protocol. Check host and port, then contact the server's administrator.",
      cause: "server",
      source: "RFC 5321 section 4.2",
      kinds: ["protocol_error"],
      example: { kind: "protocol_error", stage: "sender" },
    },
    {
      hint: "The message exceeds the server's size limit.",
      cause: "message",
      subject: "content",
      source: "RFC 1870 section 6",
      kinds: ["too_large"],
      example: { kind: "too_large", stage: "message" },
    },
  ],
};
