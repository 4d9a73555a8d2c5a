// Capture the calls of an OpenAI client, or of anything that takes a `fetch`: calls go to the provider as before, and
// those that say `store` are kept in the background.
//
// In: a request on its way to the provider. Out: the provider's answer, of which a copy is kept of what the application
// reads. Calls about stored completions (list, retrieve, update, delete, messages) go to Stillhouse. Nothing that fails
// here reaches the application.

import type OpenAI from "openai";

import { Aliases } from "./aliases.ts";
import { along } from "./along.ts";
import { type Counts, Tally } from "./counts.ts";
import { Delivery, type Redact } from "./delivery.ts";
import { Endpoint, type Fetch } from "./endpoint.ts";
import type { Json } from "./json.ts";
import { type CapturedAlias, type Elsewhere, Ways } from "./ways.ts";

export interface Options {
  /** Of Stillhouse's API, up to `/v1`; without it STILLHOUSE_BASE_URL. */
  baseURL?: string;
  /** With the scope `capture`, and `read` and `write` for stored completions; without it STILLHOUSE_API_KEY. */
  apiKey?: string;
  /** Tags for every captured call; a call's own win. */
  metadata?: Record<string, string>;
  /** The share of the stored calls that is captured, from 0 to 1. */
  sample?: number;
  /** Gets each record in the background and returns it, changed or not, or null to discard it. */
  redact?: Redact;
  /** What a call means that does not say `store`. */
  store?: boolean;
  /** Pass `store` and `metadata` of a chat completion on to the provider, too. */
  forwardStore?: boolean;
  /** Where warnings go; each kind of trouble comes once. */
  warn?: (message: string) => void;
  /** The names that calls may give as `model` and that Stillhouse points at models, each with the model that is asked
   *  while Stillhouse has not been reached yet. The key needs the scope `infer`. */
  aliases?: Record<string, string>;
  /** Milliseconds within which a change of an alias is followed; 30,000 if absent. */
  aliasTtlMs?: number;
  /** Where targets elsewhere answer, by their providers' names in Stillhouse; others are asked through its gateway. */
  clients?: Record<string, Elsewhere>;
  /** What makes the calls; by default the client's own, else the global one. */
  fetch?: Fetch;
}

export interface Captures {
  readonly counts: Counts;
  /** Whether everything captured so far can be read back within so many milliseconds. */
  flush(timeoutMs?: number): Promise<boolean>;
}

const MOST_PAIRS = 16;
const LONGEST_NAME = 64;
const LONGEST_VALUE = 512;
const LARGEST_ANSWER = 32 * 1024 * 1024;
const FLUSH_MS = 30_000;
const ALIAS_TTL_MS = 30_000;
const CHAT = "/chat/completions";
const STORED = /\/chat\/completions(\/.+)?$/;
const PROVIDERS_OWN = ["api-key", "openai-organization", "openai-project"];

/** The same client; its calls, and those of its copies (`withOptions`), are captured. */
export function capture<Client extends OpenAI>(client: Client, options: Options = {}): Client & { stillhouse: Captures } {
  // The SDK makes every call, and every copy of the client, with this property.
  const inner = client as unknown as { fetch: Fetch };
  if (typeof inner.fetch !== "function") throw new TypeError("capture() takes an OpenAI client of the SDK 5 or later");
  const captured = capturingFetch({ fetch: inner.fetch, ...options });
  inner.fetch = captured;
  return Object.assign(client, { stillhouse: captured.stillhouse });
}

/** A `fetch` that captures, for what takes one: `createOpenAI({ fetch })` of Vercel's AI SDK. */
export function capturingFetch(options: Options = {}): Fetch & { stillhouse: Captures } {
  const { sample = 1, fetch = (input, init) => globalThis.fetch(input, init) } = options;
  if (!(sample >= 0 && sample <= 1)) throw new RangeError(`sample is ${sample}, but it is a share from 0 to 1`);
  const tally = new Tally(options.warn ?? console.warn);
  const endpoint = endpointOf(options, fetch);
  const delivery = new Delivery(endpoint, options.redact, tally);
  const recorder = new Recorder({ ...options, metadata: tagsOf(options.metadata ?? {}), sample }, endpoint, delivery, tally);
  const { aliases = {}, aliasTtlMs = ALIAS_TTL_MS, clients = {} } = options;
  if (!(aliasTtlMs > 0)) throw new RangeError(`aliasTtlMs is ${aliasTtlMs}, but it is above 0`);
  const ways = new Ways(new Aliases(endpoint, aliases, aliasTtlMs, tally), endpoint, clients, options.metadata ?? {});
  const captures: Captures = {
    counts: tally.counts,
    flush: (timeoutMs = FLUSH_MS) => delivery.flush(timeoutMs),
  };
  const captured: Fetch = async (input, init) => {
    const found = await ways.of(input, init).catch(() => null);
    if (found) return along(found, recorder, fetch);
    const call = await recorder.begin(input, init);
    const response = await fetch(call.input, call.init);
    return call.request === undefined ? response : recorder.watch(response, call);
  };
  return Object.assign(captured, { stillhouse: captures });
}

export interface Call {
  input: unknown;
  init: any;
  /** The request as it is captured; undefined if it is not. */
  request?: string;
  provider: string;
  started: number;
  alias: CapturedAlias | undefined;
}

type Policy = Options & { metadata: Record<string, string>; sample: number };

export class Recorder {
  readonly #policy: Policy;
  readonly #endpoint: Endpoint;
  readonly #delivery: Delivery;
  readonly #tally: Tally;

  constructor(policy: Policy, endpoint: Endpoint, delivery: Delivery, tally: Tally) {
    this.#policy = policy;
    this.#endpoint = endpoint;
    this.#delivery = delivery;
    this.#tally = tally;
  }

  async begin(input: unknown, init: any, alias?: CapturedAlias): Promise<Call> {
    const plain: Call = { input, init, provider: "", started: performance.now(), alias };
    try {
      return (await this.#begun(plain, input instanceof Request ? input : null)) ?? plain;
    } catch (error) {
      this.#failed(error);
      return plain;
    }
  }

  /** The call as it is made; null if it is none of those that matter. `whole` is the Request in place of an address. */
  async #begun(call: Call, whole: Request | null): Promise<Call | null> {
    const url = new URL(String(whole?.url ?? call.input));
    const method = String(call.init?.method ?? whole?.method ?? "GET").toUpperCase();
    const creates = method === "POST" && (url.pathname.endsWith(CHAT) || url.pathname.endsWith("/responses"));
    if (!creates) return STORED.test(url.pathname) ? this.#stored(call, url, whole) : null;
    const body: unknown = call.init?.body ?? (await whole?.clone().text());
    if (typeof body !== "string") return null;
    const parameters = JSON.parse(body) as Json;
    const wanted = Boolean(parameters["store"] ?? this.#policy.store);
    const isChat = url.pathname.endsWith(CHAT);
    const endsLater = !isChat && parameters["background"] && !parameters["stream"];
    if (isChat && ("store" in parameters || wanted)) {
      call = { ...call, init: { ...call.init, body: JSON.stringify(this.#forProvider(parameters, url.hostname)) } };
    }
    if (!wanted || endsLater || Math.random() >= this.#policy.sample) return call;
    const metadata = this.#tagged((parameters["metadata"] ?? {}) as Json);
    const tags = Object.keys(metadata).length ? { metadata } : {};
    return { ...call, request: JSON.stringify({ ...parameters, store: true, ...tags }), provider: url.hostname };
  }

  #stored(call: Call, url: URL, whole: Request | null): Call {
    const { pathname } = url;
    const address = `${this.#endpoint.baseUrl}${pathname.slice(pathname.lastIndexOf(CHAT))}${url.search}`;
    const headers = new Headers(call.init?.headers ?? whole?.headers);
    for (const name of PROVIDERS_OWN) headers.delete(name);
    headers.set("authorization", `Bearer ${this.#endpoint.apiKey}`);
    return { ...call, input: whole ? new Request(address, whole) : address, init: { ...call.init, headers } };
  }

  /** Most providers refuse `store` and `metadata`. OpenAI may store by default, so it must hear a `store: false`. */
  #forProvider(parameters: Json, host: string): Json {
    if (this.#policy.forwardStore) return parameters;
    const { store, metadata: _, ...others } = parameters;
    const isOpenAI = host === "openai.com" || host.endsWith(".openai.com");
    return store === false && isOpenAI ? { ...others, store } : others;
  }

  #tagged(own: Json): Record<string, string> {
    const pairs = Object.entries({ ...own, ...without(this.#policy.metadata, own) }).slice(0, MOST_PAIRS);
    return Object.fromEntries(pairs.map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]));
  }

  /** The same response; what is read of its body is kept, and captured when it ends. */
  watch(response: Response, call: Call): Response {
    if (!response.ok || response.body === null) return response;
    try {
      const { status, statusText, headers } = response;
      const watched = new Response(this.#watched(response.body, call), { status, statusText, headers });
      return Object.defineProperty(watched, "url", { value: response.url });
    } catch (error) {
      this.#failed(error);
      return response;
    }
  }

  #watched(body: ReadableStream<Uint8Array>, call: Call): ReadableStream<Uint8Array> {
    const reader = body.getReader();
    const read: Uint8Array[] = [];
    let size = 0;
    let last = call.started;
    let ended = false;
    const end = () => {
      if (!ended) this.#ended(call, read, size, last);
      ended = true;
    };
    return new ReadableStream<Uint8Array>(
      {
        async pull(controller) {
          try {
            const { done, value } = await reader.read();
            if (done) {
              end();
              controller.close();
              return;
            }
            last = performance.now();
            size += value.length;
            if (size <= LARGEST_ANSWER) read.push(value);
            controller.enqueue(value);
          } catch (error) {
            end();
            controller.error(error);
          }
        },
        async cancel(reason) {
          end();
          await reader.cancel(reason);
        },
      },
      // Nothing is read ahead of the application.
      { highWaterMark: 0 },
    );
  }

  #ended(call: Call, read: Uint8Array[], size: number, last: number): void {
    try {
      if (size > LARGEST_ANSWER) throw new RangeError("the answer is too large");
      const body = Buffer.concat(read).toString("utf8");
      const latencyMs = Math.round(last - call.started);
      this.#tally.add("captured");
      this.#delivery.put({ request: call.request!, body, latencyMs, provider: call.provider, alias: call.alias });
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#tally.add("captured");
    this.#tally.add("dropped");
    this.#tally.warnOnce("failed", `a call could not be captured: ${error instanceof Error ? error.name : "unknown"}`);
  }
}

function endpointOf(options: Options, fetch: Fetch): Endpoint {
  const baseURL = options.baseURL ?? process.env["STILLHOUSE_BASE_URL"];
  const apiKey = options.apiKey ?? process.env["STILLHOUSE_API_KEY"];
  if (!baseURL || !apiKey) {
    throw new TypeError("stillhouse: give baseURL and apiKey, or STILLHOUSE_BASE_URL and STILLHOUSE_API_KEY");
  }
  if (!/^https?:\/\//.test(baseURL)) throw new TypeError("stillhouse: baseURL must be a URL such as https://…/v1");
  return new Endpoint(baseURL.replace(/\/+$/, ""), apiKey, fetch);
}

function tagsOf(metadata: Record<string, string>): Record<string, string> {
  const pairs = Object.entries(metadata);
  if (pairs.length > MOST_PAIRS) throw new RangeError(`metadata has ${pairs.length} pairs, at most ${MOST_PAIRS} are taken`);
  for (const [name, value] of pairs) {
    if (typeof value !== "string" || name.length > LONGEST_NAME || value.length > LONGEST_VALUE) {
      throw new RangeError(`metadata is text to text of at most ${LONGEST_NAME} and ${LONGEST_VALUE} letters: ${name}`);
    }
  }
  return { ...metadata };
}

function without(values: Record<string, string>, names: Json): Record<string, string> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !Object.hasOwn(names, name)));
}
