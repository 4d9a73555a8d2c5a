// Three things, as the argument says. `conversations`: responses that go on from others. `choices`: the targets of the cases given as JSON in the file INPUT. `calls`: calls by an
// alias's name through a capturing fetch, whose Stillhouse and providers are scripted; prints what each was asked.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { choose } from "../src/choosing.ts";
import { capturingFetch } from "../src/index.ts";

const place = (model: string, base_url: string | null, provider: string | null = "p") => ({ model: `of-${model}`, provider, base_url, model_there: model });
const target = (model: string, base_url: string | null, provider: string | null = "p") => ({ ...place(model, base_url, provider), weight: 1, when: {} });
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function choices(): string[] {
  const cases = JSON.parse(readFileSync(process.env["INPUT"]!, "utf8")) as any[];
  return cases.map(({ salt, routing, request, metadata, headers }) => {
    const caller = { parameters: request, messages: request.messages, metadata, headers: new Headers(headers) };
    return choose({ version: 1, salt, ...routing }, caller).model;
  });
}

/** The model of each call of some conversations, whole and streamed, and those of what is asked next when all weights have changed. */
async function conversations(): Promise<unknown> {
  const own = "http://own.test/v1";
  const weighed = (a: number, b: number) => [{ ...target("a", own), weight: a }, { ...target("b", own), weight: b }];
  let targets = weighed(1, 1);
  const asked: string[] = [];
  let made = 0;
  const answer = async (input: unknown, init: any): Promise<Response> => {
    if (String(input).endsWith("/aliases/quick")) return Response.json({ object: "alias", version: 1, salt: "s", targets, fallback_place: null });
    if (String(input).includes("/captures")) return Response.json({ batch_id: "capture_1", refused: [], status: "recorded" });
    const body = JSON.parse(init.body);
    asked.push(body.model);
    const whole = { id: `resp_${(made += 1)}`, object: "response", model: body.model, instructions: "one\u2028two", output: [] };
    if (!body.stream) return Response.json(whole);
    const events = ["created", "completed"].map((kind) => `event: x\r\ndata: ${JSON.stringify({ type: `response.${kind}`, response: whole })}\r\n\r\n`);
    return new Response(['data: {"type":"keepalive"}\r\n\r\n', ...events].join(""), { headers: { "content-type": "text/event-stream" } });
  };
  const fetch = capturingFetch({ fetch: answer, baseURL: "http://stillhouse.test/v1", apiKey: "k", aliases: { quick: "spare" }, aliasTtlMs: 20, warn: () => {} });
  const create = async (more: object): Promise<string> => {
    const response = await fetch(`${own}/responses`, { method: "POST", body: JSON.stringify({ model: "quick", ...more }) });
    return /"id":"(resp_\d+)"/.exec(await response.text())![1]!;
  };
  const said: string[][] = [];
  const ask = async (more: (number: number) => object): Promise<string[]> => {
    const ids: string[] = [];
    for (let number = 0; number < 12; number += 1) ids.push(await create({ ...more(number), stream: number % 2 === 0, store: number % 3 === 0 }));
    said.push(asked.splice(0));
    return ids;
  };
  await sleep(25);
  const first = await ask((number) => ({ input: `conversation ${number}` }));
  for (const weights of [[1, 99], [0, 1]] as const) {
    targets = weighed(...weights);
    await sleep(50);
    await create({ input: "news" });
    await sleep(25);
    asked.splice(0);
    await ask((number) => ({ input: "go on", previous_response_id: first[number] }));
  }
  return said;
}

async function calls(): Promise<unknown> {
  const own = "http://own.test/v1";
  let alias: any = { object: "alias", version: 1, salt: "s", targets: [target("there", own)], fallback_place: null };
  let away = false;
  let logprob = -0.05;
  const asked: string[] = [];
  const down = new Set<string>();
  const silent = new Set<string>();
  const records: any[] = [];
  async function answer(input: unknown, init: any): Promise<Response> {
    const url = new URL(String(input));
    if (url.hostname === "stillhouse.test" && away) throw new TypeError("fetch failed");
    if (url.pathname === "/v1/aliases/quick") return alias ? Response.json(alias) : Response.json({}, { status: 404 });
    if (url.pathname.includes("/captures/")) return Response.json({ status: "recorded" });
    if (url.pathname.endsWith("/captures")) {
      records.push(...gunzipSync(init.body).toString().split("\n").map((line) => JSON.parse(line)));
      return Response.json({ batch_id: "capture_1", refused: [] }, { status: 202 });
    }
    const body = JSON.parse(init.body);
    asked.push(`${url.host} ${body.model} ${new Headers(init.headers).get("authorization")} ${body.store ?? "-"}${body.logprobs ? " logprobs" : ""}`);
    if (silent.has(body.model)) await new Promise((_, reject) => init.signal?.addEventListener("abort", () => reject(init.signal.reason)));
    if (down.has(body.model)) return new Response("{}", { status: 503 });
    if (down.has(url.host)) throw new TypeError("fetch failed");
    const message = { role: "assistant", content: "hi" };
    const logprobs = body.logprobs ? { content: [{ token: "hi", logprob }] } : null;
    const usage = { prompt_tokens: 7, completion_tokens: 1, total_tokens: 8 };
    const choices = [{ index: 0, message, finish_reason: "stop", logprobs }];
    return Response.json({ id: `c${asked.length}`, object: "chat.completion", created: 1, model: `m-${body.model}`, choices, usage });
  }
  const warnings: string[] = [];
  const fetch = capturingFetch({
    fetch: answer,
    baseURL: "http://stillhouse.test/v1",
    apiKey: "k",
    aliases: { quick: "spare" },
    aliasTtlMs: 20,
    clients: { mine: { baseURL: "http://mine.test/v1/", apiKey: "mine" } },
    warn: (message) => warnings.push(message),
  });
  let answered: any;
  const call = async (model = "quick", more: object = {}, timeout: object = {}) => {
    const headers = { authorization: "Bearer own", ...timeout };
    const body = JSON.stringify({ model, messages: [{ role: "user", content: "hi" }], ...more });
    // As the SDK does it, if later: who waits for longer than a part of the timeout hears that the call is over.
    const response = await fetch(`${own}/chat/completions`, { method: "POST", headers, body, signal: AbortSignal.timeout(10_000) });
    const text = await response.text();
    answered = text.startsWith("{") ? JSON.parse(text) : null;
    return response.status;
  };
  const said: Record<string, unknown> = {};
  const took = (name: string) => (said[name] = asked.splice(0));
  await call("quick", { store: true });
  await call("other");
  took("own");
  for (const [name, provider, url] of [
    ["mine", "mine", "http://x.test/v1"],
    ["keyed", "mine", own],
    ["gateway", "p", null],
  ] as const) {
    alias = { ...alias, version: alias.version + 1, targets: [target(name, url, provider)] };
    await sleep(25);
    await call();
    took(name);
  }
  const cascade = { to: "of-dear", by: "logprob", threshold: -0.1, place: place("dear", own) };
  alias = { ...alias, version: alias.version + 1, targets: [{ ...target("small", own), cascade }], fallback_place: place("small", own) };
  await sleep(25);
  const judged: unknown[] = [];
  const judge = async (more: object = {}, timeout: object = {}) => {
    await call("quick", { store: true, ...more }, timeout);
    judged.push([answered?.model, answered?.choices?.[0].logprobs ?? null, ...asked.splice(0)]);
  };
  await judge();
  await judge({ logprobs: true });
  logprob = -0.4;
  await judge();
  await judge({ stream: true });
  down.add("small");
  await judge();
  down.clear();
  down.add("dear");
  await judge();
  down.clear();
  silent.add("small");
  await judge({}, { "x-stainless-timeout": "1" });
  silent.clear();
  alias = { ...alias, targets: [{ ...target("small", own), cascade: { ...cascade, by: "a way of tomorrow" } }] };
  await sleep(25);
  await judge();
  alias = { ...alias, targets: [{ ...target("small", null, null), cascade }] };
  await sleep(25);
  await judge();
  said["judged"] = judged;
  alias = { ...alias, targets: [target("gone", null, null)], fallback_place: place("back", own) };
  await sleep(25);
  await call();
  took("gone");
  alias = { ...alias, version: 9, targets: [target("there", own)], fallback_place: place("back", own) };
  await sleep(25);
  down.add("there");
  said["fallback status"] = await call("quick", { store: true });
  took("fallback");
  down.add("back");
  said["both down"] = await call();
  took("both");
  down.clear();
  away = true;
  for (let round = 0; round < 3; round += 1) {
    await sleep(25);
    await call();
  }
  took("away");
  away = false;
  for (let number = 0; number < 50; number += 1) {
    alias = { ...alias, version: 10 + number, targets: [target(`m${number}`, own)] };
    if ((await call()) !== 200) throw new Error("a call failed");
  }
  said["changes"] = asked.splice(0).length;
  said["flushed"] = await fetch.stillhouse.flush(5000);
  said["times"] = records.map(({ latency_ms, alias: { cascade } }) => [latency_ms, cascade?.first_asked?.latency_ms ?? null]);
  said["cascades"] = records.filter((record) => record.alias.cascade).map(({ alias: { cascade } }) => {
    const { first_asked, ...told } = cascade;
    if (first_asked) delete first_asked.latency_ms;
    return { ...told, first_asked };
  });
  said["records"] = records.filter((record) => record.alias.target !== "of-small").map((record) => [record.request.model, record.alias]);
  said["warnings"] = warnings.filter((warning) => warning.includes("aliases")).length;
  return said;
}

const tried = { choices, conversations, calls }[process.argv[2]!]!;
console.log(JSON.stringify(await tried()));
