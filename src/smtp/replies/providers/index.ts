import type { Provider } from "../row.ts";
import { AMAZON_SES } from "./amazon-ses.ts";
import { ARUBA } from "./aruba.ts";
import { BREVO } from "./brevo.ts";
import { CLOUDFLARE } from "./cloudflare.ts";
import { FASTMAIL } from "./fastmail.ts";
import { GMX } from "./gmx.ts";
import { GOOGLE } from "./google.ts";
import { ICLOUD } from "./icloud.ts";
import { IONOS } from "./ionos.ts";
import { MAILGUN } from "./mailgun.ts";
import { MAILJET } from "./mailjet.ts";
import { MICROSOFT } from "./microsoft.ts";
import { NETEASE } from "./netease.ts";
import { OVH } from "./ovh.ts";
import { POSTMARK } from "./postmark.ts";
import { QQ } from "./qq.ts";
import { SENDGRID } from "./sendgrid.ts";
import { SPARKPOST } from "./sparkpost.ts";
import { YAHOO } from "./yahoo.ts";
import { YANDEX } from "./yandex.ts";
import { ZOHO } from "./zoho.ts";

/** In no order: at most one applies. To add a provider, add its rows here. */
export const PROVIDERS: readonly Provider[] = [
  GOOGLE,
  MICROSOFT,
  AMAZON_SES,
  SENDGRID,
  YAHOO,
  ICLOUD,
  FASTMAIL,
  ZOHO,
  YANDEX,
  MAILGUN,
  POSTMARK,
  BREVO,
  SPARKPOST,
  MAILJET,
  OVH,
  IONOS,
  ARUBA,
  GMX,
  QQ,
  NETEASE,
  CLOUDFLARE,
];
