import { text } from "node:stream/consumers";
import { reasonOf } from "../src/errors.ts";
import { newSettingsKeys, rotatedSettingsKeys } from "./lib/settings-keys.ts";

const USAGE = `usage: npm run --silent keys -- new
       npm run --silent keys -- rotate < keys.json

  new      print a value for the secret SETTINGS_KEYS: a JWK Set with one new 256-bit key
  rotate   read the current value from standard input, and print it with a new key in first place

rotate does not accept the value as an argument, which every user of the machine can see, or as an environment
variable, which every child process inherits.`;

const [command, ...rest] = process.argv.slice(2);

if (command === "new" && rest.length === 0) {
  console.log(newSettingsKeys());
} else if (command === "rotate" && rest.length === 0 && !process.stdin.isTTY) {
  try {
    console.log(await rotatedSettingsKeys(await text(process.stdin)));
  } catch (error) {
    fail(`Standard input is not a valid value of SETTINGS_KEYS: ${reasonOf(error)}`);
  }
} else {
  fail(USAGE, 2);
}

function fail(message: string, status = 1): void {
  console.error(message);
  process.exitCode = status;
}
