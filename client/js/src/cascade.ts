// Whether the answer of a cascade's target is sure enough to be kept. In: a chat completion that was asked for its
// log-probabilities. Out: their mean, of the least sure choice, and the completion as if nobody had asked. Stillhouse's
// gateway judges by the same rules.

import type { Place } from "./choosing.ts";
import type { Json } from "./json.ts";

/** Who answers what a target is not sure of. */
export interface Cascade {
  to: string;
  by: string;
  threshold: number;
  place: Place;
}

/** The way to be sure that this version knows. */
export const BY = "logprob";

// What is beyond is no log-probability: OpenAI writes the least for a token that cannot be, and above 0 is rounding.
const LEAST = -9999;
const MOST = 0.01;
const LONGEST_MODEL = 256;

/** What is captured of a cascade. */
export interface CapturedCascade {
  to: string;
  by: string;
  threshold: number;
  confidence: number | null;
  kept: boolean;
  first_asked: Json | null;
}

/** The mean log-probability of the tokens; null where nobody can say. */
export function confidenceOf(completion: Json): number | null {
  const choices = list(completion["choices"]).map(ofChoice);
  return choices.length && choices.every((one) => one !== null) ? Math.min(...(choices as number[])) : null;
}

/** The completion without log-probabilities. */
export function plain(completion: Json): Json {
  const choices = list(completion["choices"]).map((choice) => (isObject(choice) ? { ...choice, logprobs: null } : choice));
  return { ...completion, choices };
}

/** The call whose answer was not kept, as it is captured. */
export function firstAsked(completion: Json, model: string, latencyMs: number): Json {
  const usage = isObject(completion["usage"]) ? completion["usage"] : {};
  const details = isObject(usage["prompt_tokens_details"]) ? usage["prompt_tokens_details"] : {};
  return {
    model: isName(completion["model"]) ? completion["model"] : model,
    prompt_tokens: count(usage["prompt_tokens"]),
    cached_tokens: count(details["cached_tokens"]),
    completion_tokens: count(usage["completion_tokens"]),
    latency_ms: Math.round(latencyMs),
  };
}

function ofChoice(choice: unknown): number | null {
  if (!isObject(choice) || choice["finish_reason"] !== "stop") return null;
  const message = isObject(choice["message"]) ? choice["message"] : {};
  if (list(message["tool_calls"]).length || message["refusal"]) return null;
  const tokens = list(isObject(choice["logprobs"]) ? choice["logprobs"]["content"] : null);
  const said = tokens.map((token) => (isObject(token) ? token["logprob"] : null));
  const known = said.filter((one): one is number => typeof one === "number" && one >= LEAST && one <= MOST);
  if (!known.length || known.length < said.length) return null;
  return Math.min(0, known.reduce((sum, one) => sum + one, 0) / known.length);
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value !== "" && Buffer.byteLength(value) <= LONGEST_MODEL;
}

/** A count of tokens; null for what is none, for which Stillhouse would refuse the record of the whole call. */
function count(tokens: unknown): number | null {
  return Number.isSafeInteger(tokens) && (tokens as number) >= 0 ? (tokens as number) : null;
}

function isObject(value: unknown): value is Json {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
