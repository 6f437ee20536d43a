import type { TokenFailure } from "../../oauth/token-request.ts";
import type { Group, Symptom } from "./row.ts";

const ENTRA_CODES = "https://learn.microsoft.com/entra/identity-platform/reference-error-codes";
const EXCHANGE_OAUTH =
  "https://learn.microsoft.com/exchange/client-developer/legacy-protocols/how-to-authenticate-an-imap-pop-smtp-application-by-using-oauth";
const GOOGLE_SERVICE_ACCOUNTS = "https://developers.google.com/identity/protocols/oauth2/service-account";

/** What the token endpoint said, in one line. */
function says(words: RegExp): (symptom: Symptom) => boolean {
  return ({ oauth }) => oauth !== undefined && words.test(`${oauth.error ?? ""} ${oauth.description ?? ""}`);
}

function rejected(error: string, description?: string): TokenFailure {
  return { kind: "rejected", error, ...(description === undefined ? {} : { description }) };
}

/** Failures of the token endpoint, before the SMTP server is asked. */
export const TOKENS: Group = {
  title: "Access tokens (OAuth 2.0)",
  rows: [
    {
      hint: "Check authTokenUrl, and that the endpoint is available: it did not respond, or asks to try again later.",
      source: "RFC 6749 section 3.2",
      kinds: ["token_unreachable"],
      example: { kind: "token_unreachable", stage: "token", oauth: { kind: "unreachable" } },
    },
    {
      hint: "Check authTokenUrl: what responds there is not a token endpoint.",
      source: "RFC 6749 section 5.1",
      kinds: ["token_missing"],
      example: { kind: "token_missing", stage: "token", oauth: { kind: "no_token" } },
    },
    {
      hint: "The client secret has expired: create a new one in Microsoft Entra, and save it as authTokenClientSecret.",
      source: ENTRA_CODES,
      kinds: ["token_rejected"],
      where: says(/AADSTS7000222/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected("invalid_client", "AADSTS7000222: The provided client secret keys are expired."),
      },
    },
    {
      hint: "The client secret is wrong: save the value of the secret as authTokenClientSecret, not its id.",
      source: ENTRA_CODES,
      kinds: ["token_rejected"],
      where: says(/AADSTS7000215/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected("invalid_client", "AADSTS7000215: Invalid client secret provided."),
      },
    },
    {
      hint: "Microsoft Entra does not know the client in this tenant: check authTokenClientId, and the tenant in authTokenUrl.",
      source: ENTRA_CODES,
      kinds: ["token_rejected"],
      where: says(/AADSTS700016/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected("unauthorized_client", "AADSTS700016: Application was not found in the directory."),
      },
    },
    {
      hint: "Microsoft Entra does not know the tenant: check the tenant id or domain in authTokenUrl.",
      source: ENTRA_CODES,
      kinds: ["token_rejected"],
      where: says(/AADSTS90002/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected("invalid_request", "AADSTS90002: Tenant 'contoso' not found."),
      },
    },
    {
      hint: "Set authTokenScope to https://outlook.office.com/.default: Microsoft Entra does not accept this scope.",
      source: EXCHANGE_OAUTH,
      kinds: ["token_rejected"],
      where: says(/AADSTS(70011|1002012)/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected(
          "invalid_scope",
          "AADSTS70011: The provided value for the input parameter scope is not valid.",
        ),
      },
    },
    {
      hint: "Microsoft Entra does not accept the assertion: check that the certificate behind authTokenPrivateKey is uploaded for this client and has not expired.",
      source: ENTRA_CODES,
      kinds: ["token_rejected"],
      where: says(/AADSTS(700027|7000[12]\d|50027)/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected(
          "invalid_client",
          "AADSTS700027: The certificate with identifier used to sign the client assertion is not registered on application.",
        ),
      },
    },
    {
      hint: "The client may not use this grant or act for this user. At Google, an administrator must grant the service account domain-wide delegation for the scope https://mail.google.com/.",
      source: GOOGLE_SERVICE_ACCOUNTS,
      kinds: ["token_rejected"],
      where: says(/^(unauthorized_client|access_denied)/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected(
          "unauthorized_client",
          "Client is unauthorized to retrieve access tokens using this method.",
        ),
      },
    },
    {
      hint: "The endpoint does not accept the assertion: check user, authTokenClientId, and that the private key is not disabled or deleted.",
      source: GOOGLE_SERVICE_ACCOUNTS,
      kinds: ["token_rejected"],
      where: says(/^invalid_grant/),
      example: {
        ...{ kind: "token_rejected", stage: "token" },
        oauth: rejected("invalid_grant", "Invalid JWT Signature."),
      },
    },
    {
      hint: "The endpoint does not accept the client: check authTokenClientId, and the client secret or private key.",
      source: "RFC 6749 section 5.2",
      kinds: ["token_rejected"],
      where: says(/^invalid_client/),
      example: { kind: "token_rejected", stage: "token", oauth: rejected("invalid_client") },
    },
    {
      hint: "The endpoint does not accept the scope: check authTokenScope.",
      source: "RFC 6749 section 5.2",
      kinds: ["token_rejected"],
      where: says(/^invalid_scope/),
      example: { kind: "token_rejected", stage: "token", oauth: rejected("invalid_scope") },
    },
    {
      hint: "The endpoint rejects the request: check the fields whose names begin with authToken.",
      source: "RFC 6749 section 5.2",
      kinds: ["token_rejected"],
      example: { kind: "token_rejected", stage: "token", oauth: rejected("invalid_request") },
    },
  ],
};
