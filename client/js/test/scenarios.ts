// What an application does with a captured client: `node scenarios.ts NAME` does it against the URLs of the environment
// and prints what it saw as JSON. tests/client/test_javascript.py asks, and looks at what provider and Stillhouse got.

import { gunzipSync } from "node:zlib";

import OpenAI from "openai";

import { Tally } from "../src/counts.ts";
import { Delivery } from "../src/delivery.ts";
import { Endpoint } from "../src/endpoint.ts";
import { capture, capturingFetch, type Options } from "../src/index.ts";

const provider = process.env["PROVIDER_URL"]!;
const warnings: string[] = [];
const common: Options = { warn: (message) => warnings.push(message) };
const ask = { model: "big", messages: [{ role: "user" as const, content: "hi" }], store: true };

function wrapped(options: Options = {}): OpenAI & ReturnType<typeof capture> {
  const client = new OpenAI({ baseURL: provider, apiKey: "sk-provider", maxRetries: 0 });
  return capture(client, { ...common, ...options });
}

const ANSWER = {
  id: "chatcmpl-1",
  object: "chat.completion",
  choices: [{ index: 0, message: { role: "assistant", content: "hello" }, finish_reason: "stop" }],
};

// A client whose provider and Stillhouse are a function in this process: `say` is what they answer, `seen` what they got.
function alone(options: Options = {}, baseURL = provider) {
  const say = { status: 202, refused: 0, pending: 0 };
  const seen = { asked: [] as any[], stored: [] as any[], pushes: [] as number[], tries: 0, polls: 0 };
  const fetch = async (input: any, init: any): Promise<Response> => {
    const url = String(input);
    if (url.endsWith("/captures")) {
      seen.tries += 1;
      if (say.status !== 202) return new Response("{}", { status: say.status, headers: { "retry-after": "60" } });
      seen.pushes.push(gunzipSync(init.body).toString().split("\n").length);
      return Response.json({ batch_id: `capture_${seen.tries}`, refused: Array(say.refused).fill({}) }, { status: 202 });
    }
    if (url.includes("/captures/")) {
      seen.polls += 1;
      return Response.json({ status: say.pending-- > 0 ? "pending" : "recorded" });
    }
    if (url.startsWith(process.env["STILLHOUSE_BASE_URL"]!)) seen.stored.push(Object.fromEntries(new Headers(init.headers)));
    else seen.asked.push(JSON.parse(init.body));
    return Response.json(ANSWER);
  };
  const inner = new OpenAI({ baseURL, apiKey: "sk-provider", organization: "org-1", maxRetries: 0 });
  const client = capture(inner, { ...common, fetch, ...options });
  return { client, fetch, counts: client.stillhouse.counts, say, seen, call: () => client.chat.completions.create(ask) };
}

const scenarios: Record<string, () => Promise<unknown>> = {
  async chat() {
    const client = wrapped({ metadata: { team: "mail", feature: "all" } });
    const answer = await client.chat.completions.create({ ...ask, metadata: { feature: "triage" } });
    const raw = await client.withOptions({ timeout: 5000 }).chat.completions.create(ask).asResponse();
    const body = (await raw.json()) as { id: string };
    await client.chat.completions.create({ ...ask, store: false });
    await client.chat.completions.create({ model: "big", messages: ask.messages });
    return { ids: [answer.id, body.id], flushed: await client.stillhouse.flush(5000), counts: client.stillhouse.counts };
  },

  async stream() {
    const client = wrapped();
    let text = "";
    for await (const chunk of await client.chat.completions.create({ ...ask, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? "";
    }
    for await (const _ of await client.chat.completions.create({ ...ask, stream: true })) break;
    const runner = client.chat.completions.stream(ask);
    const whole = await runner.finalChatCompletion();
    const said = whole.choices[0]!.message.content;
    return { text, said, flushed: await client.stillhouse.flush(5000), counts: client.stillhouse.counts };
  },

  async responses() {
    const client = wrapped();
    const answer = await client.responses.create({ model: "big", input: "hi", store: true, metadata: { a: "b" } });
    const events: string[] = [];
    for await (const event of await client.responses.create({ model: "big", input: "hi", store: true, stream: true })) {
      events.push(event.type);
    }
    return { id: answer.id, events, flushed: await client.stillhouse.flush(5000), counts: client.stillhouse.counts };
  },

  async stored() {
    const client = wrapped();
    const answer = await client.chat.completions.retrieve("chatcmpl-1").catch((error) => error.status);
    return { answer };
  },

  // Other clients give their `fetch` a whole Request.
  async requests() {
    const fetch = capturingFetch(common);
    const headers = { authorization: "Bearer sk-provider", "content-type": "application/json", "api-key": "own" };
    const asked = new Request(`${provider}/chat/completions`, { method: "POST", headers, body: JSON.stringify(ask) });
    const answer = (await (await fetch(asked)).json()) as { id: string };
    const stored = new Request(`${provider}/chat/completions/x`, { method: "POST", headers, body: '{"metadata":{}}' });
    const { status } = await fetch(stored);
    const flushed = await fetch.stillhouse.flush(5000);
    return { id: answer.id, status, flushed, counts: fetch.stillhouse.counts };
  },

  async refusals() {
    const client = wrapped();
    const error = await client.chat.completions.create(ask).catch((refusal) => refusal);
    return { status: error.status, counts: client.stillhouse.counts };
  },

  // Stillhouse is away: calls go on, and what waits is delivered when it is back, or when the process ends.
  async away() {
    const client = wrapped();
    const answer = await client.chat.completions.create(ask);
    return { id: answer.id, flushed: await client.stillhouse.flush(300), counts: client.stillhouse.counts, warnings };
  },

  async exit() {
    const client = wrapped();
    return { id: (await client.chat.completions.create(ask)).id };
  },

  async redacted() {
    const hide = (record: any) => {
      const text = record.request.messages[0].content;
      if (text === "throw") throw new Error(text);
      return text === "discard" ? null : { ...record, request: { ...record.request, messages: [{ role: "user", content: "x" }] } };
    };
    const client = wrapped({ redact: hide });
    for (const content of ["secret", "discard", "throw"]) {
      await client.chat.completions.create({ ...ask, messages: [{ role: "user", content }] });
    }
    return { flushed: await client.stillhouse.flush(5000), counts: client.stillhouse.counts, warnings };
  },

  async several() {
    const client = wrapped();
    await Promise.all(Array.from({ length: 12 }, () => client.chat.completions.create(ask)));
    return { flushed: await client.stillhouse.flush(5000), counts: client.stillhouse.counts };
  },

  async vercel() {
    // Imported here: the other scenarios start sooner without.
    const { createOpenAI } = await import("@ai-sdk/openai");
    const { generateText, streamText } = await import("ai");
    const fetch = capturingFetch({ ...common, store: true, metadata: { app: "vercel" } });
    const openai = createOpenAI({ baseURL: provider, apiKey: "sk-provider", fetch: fetch as typeof globalThis.fetch });
    const { text } = await generateText({ model: openai.chat("big"), prompt: "hi", maxRetries: 0 });
    const streamed = await streamText({ model: openai.chat("big"), prompt: "hi", maxRetries: 0 }).text;
    return { text, streamed, flushed: await fetch.stillhouse.flush(5000), counts: fetch.stillhouse.counts };
  },

  async loop() {
    const client = wrapped({ metadata: { app: "mail" } });
    const model = process.env["MODEL"]!;
    const asked = { model, messages: ask.messages, store: true };
    const whole = await client.chat.completions.create(asked);
    const streamed = await client.chat.completions.stream(asked).finalChatCompletion();
    const flushed = await client.stillhouse.flush(20_000);
    const listed = await client.chat.completions.list({ metadata: { app: "mail" } });
    const back = await client.chat.completions.retrieve(streamed.id);
    return {
      flushed,
      made: [whole.id, streamed.id],
      listed: listed.data.map((completion) => completion.id),
      text: streamed.choices[0]!.message.content,
      back: back.choices[0]!.message.content,
    };
  },

  // What waits in memory has bounds, and its room is given back.
  async bounds() {
    const { say, seen, fetch } = alone();
    const tally = new Tally(() => {});
    const endpoint = new Endpoint(process.env["STILLHOUSE_BASE_URL"]!, "sk-sh-test", fetch);
    const delivery = new Delivery(endpoint, undefined, tally);
    const put = (body: string, times: number) => {
      for (let number = 0; number < times; number += 1) delivery.put({ request: "{}", body, latencyMs: 1, provider: "p" });
    };
    const dropped: number[] = [];
    // While Stillhouse is away, nothing but the first one leaves the queue.
    say.status = 503;
    put(JSON.stringify(ANSWER), 1);
    await delivery.flush(0);
    for (const _ of "ab") {
      put("x".repeat(31 << 20), 3);
      dropped.push(tally.counts.dropped);
      say.status = 202;
      await delivery.flush(5000);
      say.status = 503;
      put(JSON.stringify(ANSWER), 1);
      await delivery.flush(0);
    }
    put(JSON.stringify(ANSWER), 10_001);
    dropped.push(tally.counts.dropped);
    say.status = 202;
    await delivery.flush(20_000);
    return { dropped, counts: tally.counts, largest: Math.max(...seen.pushes) };
  },

  async waits() {
    const { client, say, seen, call } = alone();
    await call();
    say.pending = 2;
    const flushed = await client.stillhouse.flush(5000);
    say.status = 429;
    seen.tries = 0;
    await call();
    return { flushed, polls: seen.polls, again: await client.stillhouse.flush(2000), tries: seen.tries };
  },

  async policies() {
    const none = alone({ sample: 0 });
    await none.call();
    const later = alone();
    await later.client.responses.create({ model: "big", input: "hi", store: true, background: true });
    const late = alone({ redact: (async (record: unknown) => record) as never });
    await late.call();
    await late.client.stillhouse.flush(5000);
    const partly = alone();
    partly.say.refused = 1;
    await Promise.all([partly.call(), partly.call()]);
    await partly.client.stillhouse.flush(5000);
    const told = [alone({}, "https://api.openai.com/v1"), alone()];
    for (const { client } of told) await client.chat.completions.create({ ...ask, store: false });
    await partly.client.chat.completions.retrieve("chatcmpl-1");
    return {
      sampled: none.counts.captured,
      background: later.counts.captured,
      late: [late.counts.redactFailed, late.seen.tries],
      partly: [partly.counts.delivered, partly.counts.refused],
      store: told.map(({ seen }) => seen.asked[0].store ?? null),
      organization: partly.seen.stored.map((headers) => headers["openai-organization"] ?? null),
    };
  },

  async large() {
    const client = wrapped();
    const content = [{ type: "image_url" as const, image_url: { url: `data:image/png;base64,${"A".repeat(5 * 1024 * 1024)}` } }];
    await client.chat.completions.create({ ...ask, messages: [{ role: "user", content }] });
    await client.chat.completions.create(ask);
    return { flushed: await client.stillhouse.flush(5000), warnings, counts: client.stillhouse.counts };
  },

  async options() {
    const wrong: Options[] = [
      { baseURL: "ftp://x" },
      { sample: 2 },
      { metadata: { a: "x".repeat(513) } },
      { metadata: Object.fromEntries(Array.from({ length: 17 }, (_, number) => [`k${number}`, "v"])) },
    ];
    return wrong.map((options) => {
      try {
        wrapped(options);
        return "taken";
      } catch (error) {
        return (error as Error).name;
      }
    });
  },
};

const name = process.argv[2]!;
console.log(JSON.stringify(await scenarios[name]!()));
