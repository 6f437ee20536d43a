/** How to connect and authenticate to an SMTP server. */
export interface SmtpSettings {
  /** As returned by `parseHost`. */
  host: string;
  port: number;
  starttls: boolean;
  ssl: boolean;
  /** `false`: do not send user and password. */
  auth?: boolean | undefined;
  user?: string | undefined;
  password?: string | undefined;
}

/** Whether a session authenticates with these settings. */
export function sendsUser<Settings extends Pick<SmtpSettings, "auth" | "user" | "password">>(
  settings: Settings,
): settings is Settings & { user: string; password: string } {
  const { auth, user, password } = settings;
  return auth !== false && user !== undefined && password !== undefined;
}
