// Prints what a body, given on stdin, is put together to.
import { readFileSync } from "node:fs";

import { answerIn } from "../src/assemble.ts";

const bodies = JSON.parse(readFileSync(0, "utf8")) as string[];
console.log(JSON.stringify(bodies.map(answerIn)));
