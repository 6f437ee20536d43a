import * as z from "zod/mini";
import { closedObject, emailAddress, trimmed } from "../http/fields.ts";
import { booleanField, choice, isTokenSecret, MASK, SECRET_FIELDS, settingsFields } from "./fields.ts";

/**
 * A tenant's SMTP settings, as a request sends them and as they are stored. `null`, `""` and white space count
 * as absent, and strings other than the password are trimmed. The output always has the port and the TLS flags.
 */
export const settingsSchema = z.pipe(
  closedObject(settingsFields),
  z.transform((sent, context) => {
    const input = withoutUnusedMasks(sent);
    for (const { field, message } of combinationErrors(input)) {
      context.issues.push({ code: "custom", path: [field], message, input: sent });
    }
    const ssl = input.ssl ?? false;
    return { ...input, port: input.port ?? (ssl ? 465 : 587), starttls: input.starttls ?? false, ssl };
  }),
);

/** Settings as they are stored, with the secrets themselves. */
export type Settings = z.output<typeof settingsSchema>;

/** How to test settings: the recipient, whether to send a mail, and which settings to use. */
export const testSchema = closedObject({
  to: emailAddress("Recipient of the test mail. Default: the email claim of the token.", "ada@example.com"),
  mode: choice(
    "send (default): sends a mail. probe: asks whether the server would accept one, and sends none.",
    ["send", "probe"],
    { example: "probe", problem: 'must be "send" or "probe"' },
  ),
  settings: z.optional(z.nullable(settingsSchema)).register(z.globalRegistry, {
    description: "Settings to test before saving them. Default: the stored ones.",
  }),
});

/** The query of a save. Ignores other parameters, which proxies may add. */
export const verifySchema = z.object({
  verify: booleanField({
    description: "true: probes the SMTP server first, and saves only if it accepts the settings.",
    examples: [true],
    type: "boolean",
  }),
});

/** Whether a body lacks `host` or `from`. The contract reports that before any other problem. */
export function lacksMandatoryField(body: unknown): boolean {
  const { host, from } = (body ?? {}) as { host?: unknown; from?: unknown };
  return [host, from].map(trimmed).some((value) => value === undefined || value === null || value === "");
}

/** Drops masks of secrets that `authType` does not use: Keycloak's console leaves them there. */
function withoutUnusedMasks<Input extends AuthenticationFields>(input: Input): Input {
  const unused = SECRET_FIELDS.filter((field) => usesToken(input) !== isTokenSecret(field));
  const dropped = unused.filter((field) => input[field] === MASK).map((field) => [field, undefined]);
  return { ...input, ...Object.fromEntries(dropped) };
}

type AuthenticationFields = { [Name in keyof typeof settingsFields]?: unknown };

/** Combinations of fields that cannot work, each with its fix. */
function combinationErrors(input: AuthenticationFields): { field: string; message: string }[] {
  const { user, password, authTokenUrl, authTokenClientId, authTokenClientSecret, authTokenPrivateKey } =
    input;
  const isBearer =
    input.authTokenGrantType !== undefined && input.authTokenGrantType !== "client_credentials";
  const checks: [boolean, string, string][] = usesToken(input)
    ? [
        [user === undefined, "user", "is required with authType token"],
        [password !== undefined, "password", "must be absent with authType token"],
        [authTokenUrl === undefined, "authTokenUrl", "is required with authType token"],
        [authTokenClientId === undefined, "authTokenClientId", "is required with authType token"],
        [
          authTokenClientSecret !== undefined && authTokenPrivateKey !== undefined,
          "authTokenPrivateKey",
          "must not accompany authTokenClientSecret: send one of them",
        ],
        [
          isBearer && authTokenPrivateKey === undefined,
          "authTokenPrivateKey",
          "is required with this authTokenGrantType, in place of authTokenClientSecret",
        ],
        [
          !isBearer && authTokenClientSecret === undefined && authTokenPrivateKey === undefined,
          "authTokenClientSecret",
          "is required with authType token, unless authTokenPrivateKey is sent",
        ],
      ]
    : [
        [password !== undefined && user === undefined, "user", "must accompany password"],
        [authTokenClientSecret !== undefined, "authTokenClientSecret", "requires authType token"],
        [authTokenPrivateKey !== undefined, "authTokenPrivateKey", "requires authType token"],
      ];
  return checks.flatMap(([isWrong, field, message]) => (isWrong ? [{ field, message }] : []));
}

function usesToken({ authType }: AuthenticationFields): boolean {
  return authType === "token";
}
