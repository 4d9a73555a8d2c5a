// Prints what each of the bodies, given as JSON in the file INPUT, is put together to: null where that fails.
import { readFileSync } from "node:fs";

import { answerIn } from "../src/assemble.ts";
import { type Json, written } from "../src/json.ts";

function answered(body: string): Json | null {
  try {
    return answerIn(body);
  } catch {
    return null;
  }
}

console.log(written((JSON.parse(readFileSync(process.env["INPUT"]!, "utf8")) as string[]).map(answered)));
