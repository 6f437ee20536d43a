/** What it takes to send mail in a tenant's name. The settings that are stored are of this shape. */
export interface SmtpSettings {
  /** As `parseHost` gives it. */
  host: string;
  port: number;
  from: string;
  fromDisplayName?: string | undefined;
  replyTo?: string | undefined;
  replyToDisplayName?: string | undefined;
  /** MAIL FROM, where it is not `from`. */
  envelopeFrom?: string | undefined;
  starttls: boolean;
  ssl: boolean;
  /** `false`: user and password are not used. */
  auth?: boolean | undefined;
  user?: string | undefined;
  password?: string | undefined;
}
