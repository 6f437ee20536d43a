/** A request body as Keycloak clients send it. */
export const SAMPLE_SETTINGS = {
  replyToDisplayName: "Receiver",
  starttls: "true",
  port: "587",
  host: "smtp.gmail.com",
  replyTo: "reply@example.com",
  from: "sender@example.com",
  fromDisplayName: "From KC Test team",
  envelopeFrom: "",
  ssl: "false",
  user: "sender@example.com",
  password: "app-password",
};
