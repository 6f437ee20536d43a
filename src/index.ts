import { app } from "./app.ts";
import { runScheduled } from "./scheduled.ts";

export { Mailer } from "./delivery/mailer.ts";
export { Outbox } from "./delivery/outbox.ts";

export default {
  fetch: app.fetch,
  scheduled: ({ scheduledTime }, env) => runScheduled(env, new Date(scheduledTime)),
} satisfies ExportedHandler<Env>;
