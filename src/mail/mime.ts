import * as base64 from "nodemailer/lib/base64";
import type MimeNode from "nodemailer/lib/mime-node";
import * as qp from "nodemailer/lib/qp";

/**
 * Writes a tree of texts as a message (RFC 2046), with nodemailer's headers and encodings. Equals `node.build()`,
 * which waits for a dozen turns of the event loop: 13 ms on Workers.
 */
export function serializeMime(node: MimeNode): string {
  const message = serialize(node).replace(/(?<!\r)\n/g, "\r\n");
  return message.endsWith("\n") ? message : `${message.replace(/\r$/, "")}\r\n`;
}

function serialize(node: MimeNode): string {
  // Sets the boundary.
  const header = `${node.buildHeaders()}\r\n\r\n`;
  if (!node.boundary) return header + encode(node);
  const delimiter = `--${node.boundary}`;
  const parts = node.childNodes.map((child) => `${delimiter}\r\n${serialize(child)}\r\n`);
  return `${header}${parts.join("")}${delimiter}--\r\n`;
}

function encode(node: MimeNode): string {
  const { content = "" } = node;
  if (typeof content !== "string") throw new Error("Only texts are supported");
  switch (node.getTransferEncoding()) {
    case "quoted-printable":
      return qp.wrap(qp.encode(content));
    case "base64":
      return base64.wrap(base64.encode(content));
    default:
      return content;
  }
}
