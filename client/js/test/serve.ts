// Runs scripts of this folder one after the other in one process, since each takes longer to load than to run. In: a line
// of JSON for each, with its name, its arguments and its environment. Out: a line of JSON for each, with what it printed
// and how it failed. Each is evaluated anew; what it imports is loaded once.
import { createInterface } from "node:readline";

interface Asked {
  script: string;
  arguments: string[];
  environment: Record<string, string>;
}

let printed: string[] = [];
console.log = (text: string) => printed.push(text);
const own = Object.keys(process.env);

let number = 0;
for await (const line of createInterface({ input: process.stdin })) {
  const { script, arguments: words, environment } = JSON.parse(line) as Asked;
  for (const name of Object.keys(process.env)) if (!own.includes(name)) delete process.env[name];
  Object.assign(process.env, environment);
  process.argv.splice(2, Infinity, ...words);
  printed = [];
  let error: string | undefined;
  try {
    await import(`./${script}?${(number += 1)}`);
  } catch (failure) {
    error = (failure as Error).stack;
  }
  process.stdout.write(`${JSON.stringify({ printed: printed.join("\n"), error })}\n`);
}
