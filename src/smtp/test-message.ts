import type { Content } from "./message.ts";

/** The mail by which an administrator sees that settings work. */
export function testMessage(tenant: string, to: string, id: string): Content {
  const text = `This is a test of the email settings of ${tenant}. It arrived, so they work: there is nothing to do.`;
  return {
    to,
    subject: `Email settings of ${tenant}: it works`,
    text: `${text}\n`,
    html: `<p>${text}</p>`,
    id,
  };
}
