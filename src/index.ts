import { app } from "./app.ts";
import { runRotation } from "./key-rotation/scheduled.ts";

export default {
  fetch: app.fetch,
  scheduled: ({ scheduledTime }, env) => runRotation(env, new Date(scheduledTime)),
} satisfies ExportedHandler<Env>;
