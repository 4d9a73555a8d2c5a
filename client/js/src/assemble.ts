// What a provider answered, from the bytes that the application read: a completion or a response as JSON, or the events
// of a stream put together. In: the body's text. Out: the answer; null where it is none, or ended before its end. Throws
// where it is no JSON, or of another shape. The rules are those of client/stillhouse/capturing/assemble.py.

import { type Json, read } from "./json.ts";

const LAST_EVENTS = new Set(["response.completed", "response.incomplete", "response.failed"]);
// Sent again by some providers in every piece; the rest of a delta's texts are pieces.
const WHOLE = new Set(["id", "type", "name", "role", "format", "index", "expires_at"]);
const OF_CHUNKS = new Set(["object", "choices", "obfuscation"]);

export function answerIn(body: string): Json | null {
  const text = body.replace(/^\uFEFF/, "").trimStart();
  if (text.startsWith("{")) {
    const document = read(text);
    return "choices" in document || document["object"] === "response" ? document : null;
  }
  const events = [...eventsIn(text)];
  const last = events.find((event) => LAST_EVENTS.has(event["type"]));
  if (last) return isObject(last["response"]) ? last["response"] : null;
  return events.some((event) => String(event["type"]).startsWith("response.")) ? null : assembled(events);
}

function* eventsIn(text: string): Generator<Json> {
  for (const event of text.split(/\r\n\r\n|\n\n|\r\r/)) {
    const lines = event.split(/\r\n|\n|\r/).filter((line) => line.startsWith("data:"));
    const data = lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n");
    if (data.startsWith("[DONE]")) return;
    if (data.trim()) yield read(data);
  }
}

function assembled(chunks: Json[]): Json | null {
  const whole: Json = { object: "chat.completion" };
  const choices = new Map<number, Json>();
  for (const chunk of chunks) {
    if (isSome(anObject(chunk)["error"])) return null;
    for (const [name, value] of Object.entries(chunk)) {
      if (OF_CHUNKS.has(name) || value === null) continue;
      // A provider may give every chunk an id of its own: the first names the completion.
      if (!(isSome(whole[name]) && ["id", "created", "model"].includes(name))) whole[name] = value;
    }
    for (const part of isSome(chunk["choices"]) ? chunk["choices"] : []) addChoice(choices, anObject(part));
  }
  const finished = [...choices.keys()].sort((a, b) => a - b).map((index) => finishedChoice(choices.get(index)!));
  if (!finished.length || !finished.every((choice) => isSome(choice["finish_reason"]))) return null;
  return { ...whole, choices: finished };
}

function addChoice(choices: Map<number, Json>, part: Json): void {
  const index = (part["index"] as number | null) ?? 0;
  const choice = choices.get(index) ?? { index, message: { role: "assistant" }, finish_reason: null };
  choices.set(index, choice);
  for (const [name, value] of Object.entries(part)) {
    if (name === "delta") merge(choice["message"], isSome(value) ? value : {});
    else if (name === "logprobs" && value !== null) merge((choice["logprobs"] ??= {}), value);
    else if (name === "finish_reason") choice[name] = isSome(value) ? value : choice[name];
    else if (Array.isArray(value)) merge(choice, { [name]: value });
    else if (value !== null) choice[name] = value;
  }
}

function merge(into: unknown, delta: unknown): void {
  for (const [name, value] of Object.entries(anObject(delta))) {
    const whole = anObject(into);
    // Of what all objects inherit nothing may be merged into: the objects of the application inherit it, too.
    if (name === "__proto__") continue;
    const known: unknown = Object.hasOwn(whole, name) ? whole[name] : undefined;
    if (name === "content" && isSome(known) && isSome(value) && kindOf(known) !== kindOf(value)) whole[name] = joined(known, value);
    else if (Array.isArray(value)) mergeList((whole[name] = isSome(known) ? known : []) as any[], value);
    else if (isObject(value)) merge((whole[name] = isSome(known) ? known : {}), value);
    else if (typeof value === "string" && typeof known === "string" && !WHOLE.has(name)) whole[name] = known + value;
    else if (value || known === undefined || known === null) whole[name] = value;
  }
}

// The parts of a content whose pieces are of several kinds: thoughts as parts, then the answer as plain text.
function joined(known: unknown, value: unknown): unknown[] {
  const parts = partsOf(known);
  for (const part of partsOf(value)) {
    const last = parts.at(-1);
    if (isText(part) && isText(last)) parts[parts.length - 1] = { ...last, text: last.text + part.text };
    else parts.push(part);
  }
  return parts;
}

function partsOf(content: unknown): unknown[] {
  if (Array.isArray(content)) return content;
  return [typeof content === "string" ? { type: "text", text: content } : content];
}

function isText(part: unknown): part is { type: "text"; text: string } {
  return isObject(part) && part["type"] === "text" && typeof part["text"] === "string";
}

function kindOf(value: unknown): string {
  return Array.isArray(value) ? "array" : typeof value;
}

// An entry that goes on with a known one is merged into it; any other is appended.
function mergeList(whole: any[], delta: any[]): void {
  for (const entry of delta) {
    const known = isObject(entry) ? begun(whole, entry) : null;
    if (known) merge(known, entry);
    else if (isObject(entry) && Number.isInteger(entry["index"])) {
      whole.push({ index: entry["index"] });
      merge(whole.at(-1), entry);
    } else whole.push(entry);
  }
}

// The entry with which this piece goes on; null if it begins one. It is the last one with the same index, unless the
// piece has another id: some providers number all parallel calls 0. An id alone does not begin a call, since others give
// each piece of a call a new one. A piece of a call that has neither index nor id goes on with the last call.
function begun(whole: any[], entry: Json): Json | null {
  if (Number.isInteger(entry["index"])) {
    const known = whole.findLast((other) => other?.index === entry["index"]);
    const another = isSome(entry["id"]) && isSome(known?.id) && entry["id"] !== known.id;
    return known && !(another && begins(entry)) ? known : null;
  }
  const last = whole.at(-1);
  return called(entry) && !isSome(entry["id"]) && !begins(entry) && isObject(last) ? last : null;
}

// Whether a piece names what is called, or is not of a call.
function begins(entry: Json): boolean {
  const function_ = called(entry);
  return function_ === null || isSome(function_["name"]);
}

function called(entry: Json): Json | null {
  const function_: unknown = isSome(entry["function"]) ? entry["function"] : entry["custom"];
  return isObject(function_) ? function_ : null;
}

function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// Throws for what is none: a stream of another shape adds up to nothing.
function anObject(value: unknown): Json {
  if (!isObject(value)) throw new TypeError("an object is expected");
  return value;
}

// Whether there is anything in a value: there is nothing in an empty list or object, as in an empty text.
function isSome(value: unknown): boolean {
  return typeof value === "object" && value !== null ? Object.keys(value).length > 0 : Boolean(value);
}

function finishedChoice(choice: Json): Json {
  const message: Json = { content: null, refusal: null, ...choice["message"] };
  if (isSome(message["tool_calls"])) {
    const calls = message["tool_calls"] as Json[];
    calls.forEach(anObject);
    const place = (call: Json): number => call["index"] ?? calls.length;
    const ordered = calls.toSorted((a, b) => place(a) - place(b));
    // The index tells the pieces of parallel calls apart; a whole message has none.
    message["tool_calls"] = ordered.map(({ index: _, ...call }) => call);
  }
  return { ...choice, message };
}
