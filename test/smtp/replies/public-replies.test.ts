import { describe, expect, it } from "vitest";
import { type Classification, classify } from "../../../src/smtp/replies/classify.ts";
import { smtpFailure } from "../../support/smtp/failures.ts";
import { PUBLIC_REPLIES, type PublicReply } from "./public-replies.ts";

function classified({
  stage,
  reply,
  host = "smtp.example.net",
  authenticated = true,
}: PublicReply): Classification {
  const login = authenticated ? { user: "from@example.com", password: "s3cret" } : {};
  const settings = { host, port: 587, starttls: true, ssl: false, from: "from@example.com", ...login };
  return classify(smtpFailure("reply", stage, { reply }), { settings, recipient: "to@example.org" });
}

describe("a reply from public documentation or reports", () => {
  it.each(PUBLIC_REPLIES)("is classified: $stage, $reply", (publicReply) => {
    const { cause, classifiedAs = cause, isFinal = false, isGivenUp = false } = publicReply;
    expect(classified(publicReply)).toMatchObject({ cause: classifiedAs, isFinal: isFinal || isGivenUp });
  });

  it("gives up a message for a fault that is not its own in one known case only", () => {
    const lies = PUBLIC_REPLIES.filter(({ cause, isGivenUp }) => cause !== "message" && isGivenUp);
    expect(lies).toMatchObject([{ reply: expect.stringMatching(/^550 5\.3\.4 .*sign in to your account/) }]);
  });
});
