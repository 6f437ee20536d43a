import { PASSWORD_REJECTED, type Provider } from "../row.ts";

export const QQ: Provider = {
  title: "QQ Mail and Tencent Exmail",
  host: /(^|\.)(qq|foxmail)\.com$/,
  exampleHost: "smtp.qq.com",
  rows: [
    {
      hint: "Tencent expects an authorization code as password: switch on SMTP in the mailbox's settings, and create one there. The same reply may follow too many logins: if the code is right, try again later.",
      cause: "settings",
      source: "https://service.mail.qq.com/detail/0/53, https://github.com/YMFE/yapi/issues/2219",
      ...PASSWORD_REJECTED,
      reply: /^535\b/,
      example: {
        stage: "authentication",
        reply:
          "535 Login Fail. Please enter your authorization code to login. More information in https://service.mail.qq.com/detail/0/53",
      },
    },
  ],
};
