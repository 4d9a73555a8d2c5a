// Stillhouse's captures API. In: compressed NDJSON, or a batch's id. Out: what was accepted, or whether it is recorded.
// Throws Away where a later attempt may succeed, Refused where none can.

import { gzipSync } from "node:zlib";

import type { Alias } from "./choosing.ts";

export type Fetch = (input: any, init?: any) => Promise<Response>;

const FOR_GOOD = new Set([400, 413, 422]);
const TIMEOUT_MS = 15_000;
const ALIAS_MS = 5000;
const NOT_FOUND = 404;

export class Away extends Error {
  readonly retryAfterMs: number;

  constructor(reason: string, retryAfterMs = 0) {
    super(reason);
    this.retryAfterMs = retryAfterMs;
  }
}

export class Refused extends Error {
  readonly status: number;
  /** How many records were refused by themselves; 0 where the push was refused as a whole. */
  readonly records: number;

  constructor(status: number, records: number) {
    super(`status ${status}`);
    this.status = status;
    this.records = records;
  }
}

export interface Accepted {
  batchId: string;
  refused: number;
}

export class Endpoint {
  readonly baseUrl: string;
  readonly apiKey: string;
  readonly #fetch: Fetch;

  constructor(baseUrl: string, apiKey: string, fetch: Fetch) {
    this.baseUrl = baseUrl;
    this.apiKey = apiKey;
    this.#fetch = fetch;
  }

  async push(lines: string[]): Promise<Accepted> {
    const headers = { "content-type": "application/x-ndjson", "content-encoding": "gzip" };
    const answer = await this.#ask("/captures", { method: "POST", headers, body: gzipSync(lines.join("\n")) });
    if (typeof answer?.batch_id !== "string") throw new Away("the answer is not Stillhouse's");
    return { batchId: answer.batch_id, refused: answer.refused?.length ?? 0 };
  }

  /** The alias of this name; null if there is none. */
  async alias(name: string): Promise<Alias | null> {
    const headers = { authorization: `Bearer ${this.apiKey}` };
    const signal = AbortSignal.timeout(ALIAS_MS);
    const response = await this.#fetch(`${this.baseUrl}/aliases/${encodeURIComponent(name)}`, { headers, signal });
    if (response.status === NOT_FOUND) return null;
    if (!response.ok) throw new Away(`status ${response.status}`);
    const alias = (await response.json()) as Alias & { object?: string };
    if (alias?.object !== "alias") throw new Away("the answer is not Stillhouse's");
    return alias;
  }

  async recorded(batchId: string): Promise<boolean> {
    return (await this.#ask(`/captures/${encodeURIComponent(batchId)}`, {}))?.status === "recorded";
  }

  async #ask(path: string, init: { method?: string; headers?: Record<string, string>; body?: Uint8Array }): Promise<any> {
    const headers = { ...init.headers, authorization: `Bearer ${this.apiKey}` };
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    let response: Response;
    let answer: any = null;
    try {
      response = await this.#fetch(`${this.baseUrl}${path}`, { ...init, headers, signal });
      const text = await response.text();
      answer = text.startsWith("{") ? JSON.parse(text) : null;
    } catch (error) {
      throw new Away(error instanceof Error ? error.name : "no answer");
    }
    if (response.ok) return answer;
    if (FOR_GOOD.has(response.status)) throw new Refused(response.status, answer?.refused?.length ?? 0);
    throw new Away(`status ${response.status}`, 1000 * Number(response.headers.get("retry-after") ?? 0) || 0);
  }
}
