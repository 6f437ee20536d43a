/** The sample request that the product was specified with. */
export const sampleSettings = {
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
