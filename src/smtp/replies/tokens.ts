import type { TokenFailure } from "../../oauth/token-request.ts";
import { type Group, type Row, type Symptom, TOKEN_REJECTED } from "./row.ts";

const ENTRA_CODES = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes";
const ENTRA_CLIENT_CREDENTIALS =
  "https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow";
const ENTRA_CERTIFICATES = "https://learn.microsoft.com/entra/identity-platform/certificate-credentials";
const GOOGLE_SERVICE_ACCOUNTS = "https://developers.google.com/identity/protocols/oauth2/service-account";

const usesToken = ({ settings }: Symptom) => settings.authType === "token";

/** A row for a token endpoint that rejects the request, and says so in these words. */
function rejection(
  words: RegExp,
  row: Pick<Row, "hint" | "source">,
  error: string,
  description?: string,
): Row {
  const rejected: TokenFailure = { kind: "rejected", status: 400, error };
  const oauth = description === undefined ? rejected : { ...rejected, description };
  return {
    ...row,
    cause: "settings",
    kinds: ["token_rejected"],
    where: (symptom) => words.test(`${symptom.oauth?.error ?? ""} ${symptom.oauth?.description ?? ""}`),
    example: { kind: "token_rejected", stage: "token", oauth },
  };
}

/** Failures before an access token is sent. */
export const NO_TOKEN: Group = {
  title: "Access tokens (OAuth 2.0)",
  rows: [
    {
      hint: "The server offers AUTH by {mechanisms} only, none of which carries an access token (XOAUTH2, OAUTHBEARER). Check host and port, or set authType to basic, with a password.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 7628 section 3, RFC 4954 section 3",
      kinds: ["authentication_not_offered"],
      where: (symptom) => usesToken(symptom) && (symptom.mechanisms?.length ?? 0) > 0,
      example: {
        kind: "authentication_not_offered",
        stage: "authentication",
        mechanisms: ["PLAIN"],
        settings: { authType: "token" },
      },
    },
    {
      hint: "The server offers no AUTH mechanism for an access token (XOAUTH2, OAUTHBEARER). Check the port (587 or 465), or set authType to basic, with a password.",
      cause: "settings",
      subject: "mechanism",
      source: "RFC 7628 section 3, RFC 4954 section 3",
      kinds: ["authentication_not_offered"],
      where: usesToken,
      example: {
        kind: "authentication_not_offered",
        stage: "authentication",
        settings: { authType: "token" },
      },
    },
    {
      hint: "Access tokens are sent over TLS only, and the server does not offer STARTTLS on this port. Try port 465 with ssl.",
      cause: "settings",
      source: "RFC 7628 section 4",
      kinds: ["credentials_need_tls"],
      where: usesToken,
      example: { kind: "credentials_need_tls", stage: "tls", settings: { authType: "token" } },
    },
    {
      hint: "Set authTokenUrl to an https address with a public host that is not one of this service.",
      cause: "settings",
      source: "https://www.iana.org/assignments/iana-ipv4-special-registry/",
      kinds: ["token_forbidden"],
      example: { kind: "token_forbidden", stage: "token", oauth: { kind: "forbidden" } },
    },
    {
      hint: "Check authTokenUrl, and that the endpoint is available: it did not respond in time, or asks to try again later.",
      cause: "server",
      source: "RFC 6749 section 3.2, RFC 9110 sections 15.6 and 10.2.3",
      kinds: ["token_unreachable"],
      example: { kind: "token_unreachable", stage: "token", oauth: { kind: "unreachable", status: 503 } },
    },
    {
      hint: "Set authTokenUrl to the address that the endpoint redirects to: redirects are not followed.",
      cause: "settings",
      source: "RFC 9700 section 4.12, RFC 9110 section 15.4",
      kinds: ["token_missing"],
      where: ({ oauth: { status = 0 } = {} }) => status >= 300 && status < 400,
      example: { kind: "token_missing", stage: "token", oauth: { kind: "no_token", status: 302 } },
    },
    {
      hint: "Check authTokenUrl: its response lacks a valid access_token, token_type or expires_in, so it may not be a token endpoint.",
      cause: "settings",
      source: "RFC 6749 section 5.1",
      kinds: ["token_missing"],
      example: { kind: "token_missing", stage: "token", oauth: { kind: "no_token", status: 200 } },
    },
    rejection(
      /AADSTS7000222\b/,
      {
        hint: "The client secret has expired: create a new one in Microsoft Entra, and save its value as authTokenClientSecret.",
        source: ENTRA_CODES,
      },
      "invalid_client",
      "AADSTS7000222: The provided client secret keys for app '11111111-2222-3333-4444-555555555555' are expired.",
    ),
    rejection(
      /AADSTS7000215\b/,
      {
        hint: "The client secret is wrong: save the value of the secret as authTokenClientSecret, not its id.",
        source: ENTRA_CODES,
      },
      "invalid_client",
      "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
    ),
    rejection(
      /AADSTS(700016|7000229)\b/,
      {
        hint: "Microsoft Entra does not know the client in this tenant: check authTokenClientId and the tenant in authTokenUrl, and have an administrator of the tenant consent to the client.",
        source: ENTRA_CODES,
      },
      "unauthorized_client",
      "AADSTS700016: Application with identifier '11111111-2222-3333-4444-555555555555' was not found in the directory 'Contoso'.",
    ),
    rejection(
      /AADSTS(90002|900023)\b/,
      {
        hint: "Microsoft Entra does not know the tenant: check the tenant id or domain in authTokenUrl.",
        source: ENTRA_CODES,
      },
      "invalid_request",
      "AADSTS90002: Tenant 'contoso.example' not found. Check to make sure you have the correct tenant ID.",
    ),
    rejection(
      /AADSTS(70011|1002012|500011)\b/,
      {
        hint: "Set authTokenScope to https://outlook.office.com/.default: Microsoft Entra does not accept this scope.",
        source: `${ENTRA_CODES}, ${ENTRA_CLIENT_CREDENTIALS}`,
      },
      "invalid_scope",
      "AADSTS1002012: The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI).",
    ),
    rejection(
      /AADSTS7000112\b/,
      {
        hint: "The client is disabled in Microsoft Entra: enable its enterprise application.",
        source: ENTRA_CODES,
      },
      "unauthorized_client",
      "AADSTS7000112: Application '11111111-2222-3333-4444-555555555555' is disabled.",
    ),
    rejection(
      /AADSTS(700027|700024|50027)\b/,
      {
        hint: "Microsoft Entra does not accept the assertion: check that the certificate of authTokenPrivateKey is uploaded for this client and has not expired, and that it follows the key in the field.",
        source: `${ENTRA_CODES}, ${ENTRA_CERTIFICATES}`,
      },
      "invalid_client",
      "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.",
    ),
    rejection(
      /^(unauthorized_client|access_denied)\b/,
      {
        hint: "The client may not use this grant, or may not act for this user. At Google, an administrator must grant the service account domain-wide delegation, by its numeric client id and for the scope https://mail.google.com/.",
        source: GOOGLE_SERVICE_ACCOUNTS,
      },
      "unauthorized_client",
      "Client is unauthorized to retrieve access tokens using this method, or client not authorized for any of the scopes requested.",
    ),
    rejection(
      /^disabled_client\b/,
      {
        hint: "The client is disabled: enable it, or its project, in the Google Cloud console.",
        source: GOOGLE_SERVICE_ACCOUNTS,
      },
      "disabled_client",
      "The OAuth client was disabled.",
    ),
    rejection(
      /^invalid_grant\b.*\bsignature\b/i,
      {
        hint: "The private key is disabled or deleted, or belongs to another client: enable it, or create a new one and save it as authTokenPrivateKey.",
        source: GOOGLE_SERVICE_ACCOUNTS,
      },
      "invalid_grant",
      "Invalid JWT Signature.",
    ),
    rejection(
      /^invalid_grant\b/,
      {
        hint: "The endpoint does not accept the assertion: check that user is a mailbox of the organization, and that authTokenClientId is the address of the service account.",
        source: GOOGLE_SERVICE_ACCOUNTS,
      },
      "invalid_grant",
      "Invalid email or User ID",
    ),
    rejection(
      /^invalid_client\b/,
      {
        hint: "The endpoint does not accept the client: check authTokenUrl and authTokenClientId, and the private key or the client secret, which was sent in the body and by HTTP Basic.",
        source: "RFC 6749 section 5.2",
      },
      "invalid_client",
    ),
    rejection(
      /^invalid_(scope|target)\b/,
      {
        hint: "The endpoint does not accept the scope: check authTokenScope.",
        source: "RFC 6749 section 5.2",
      },
      "invalid_scope",
    ),
    rejection(
      /^unsupported_grant_type\b/,
      {
        hint: "The endpoint does not support the grant: check authTokenUrl and authTokenGrantType.",
        source: "RFC 6749 section 5.2",
      },
      "unsupported_grant_type",
    ),
    rejection(
      /^/,
      {
        hint: "The endpoint rejects the request: check the fields whose names begin with authToken.",
        source: "RFC 6749 section 5.2",
      },
      "invalid_request",
    ),
  ],
};

/** Replies that reject an access token, at no provider in particular. */
export const REJECTED_TOKENS: Group = {
  title: "Access tokens that the server rejects",
  where: ({ kind }) => kind === "reply",
  rows: [
    {
      hint: "The access token lacks a scope: set authTokenScope to the one that the server's challenge names.",
      cause: "settings",
      source: "RFC 7628 section 3.2.2",
      ...TOKEN_REJECTED,
      where: ({ settings, challenge = "" }) =>
        settings.authType === "token" && challenge.includes("insufficient_scope"),
      example: {
        stage: "authentication",
        reply: "535 5.7.8 Authentication failed",
        challenge: '{"status":"insufficient_scope","schemes":"bearer","scope":"smtp"}',
        settings: { authType: "token" },
      },
    },
    {
      hint: "The server cannot check access tokens at the moment: try again in a few minutes.",
      cause: "server",
      source: "RFC 4954 section 6",
      ...TOKEN_REJECTED,
      reply: /^4/,
      example: {
        stage: "authentication",
        reply: "454 4.7.0 Temporary authentication failure",
        settings: { authType: "token" },
      },
    },
    {
      hint: "The server does not accept the access token for this user: check user and authTokenScope, that the server trusts the token endpoint, and that the client may send for this user.",
      cause: "settings",
      source: "RFC 4954 section 6, RFC 7628 section 3.2.2",
      ...TOKEN_REJECTED,
      reply: /^5(?!0[0-4])/,
      example: {
        stage: "authentication",
        reply: "535 5.7.8 Authentication failed",
        settings: { authType: "token" },
      },
    },
  ],
};
