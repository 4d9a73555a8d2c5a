// Choose an alias's target for a call, as Stillhouse's gateway does: the same caller always gets the same one.
//
// In: an alias as Stillhouse shows it, and what is known of a call. Out: the target. Of the targets whose `when` the call
// meets, each has a lot, -ln(u) / weight, where u is a hash of the alias's salt, the target and the caller. The least
// lot wins.

import { createHmac } from "node:crypto";

import type { Cascade } from "./cascade.ts";
import type { Json } from "./json.ts";

export interface Place {
  model: string;
  provider: string | null;
  base_url: string | null;
  model_there: string | null;
}

export interface Target extends Place {
  weight: number;
  /** Who answers what the target is not sure of. */
  cascade?: Cascade | null;
  when?: Record<string, string>;
}

export interface Alias {
  version: number;
  salt: string;
  targets: Target[];
  sticky_by?: { header?: string | null; metadata?: string | null } | null;
  fallback_place?: Place | null;
}

export interface Caller {
  parameters: Json;
  messages: unknown[];
  metadata: Record<string, string>;
  headers: Headers;
}

const FIRST_MESSAGES = 2;

/** The target that answers a call. Of `beganAt` is the response that the call goes on from: it answers again, if it still answers any. */
export function choose(alias: Alias, caller: Caller, beganAt?: string): Target {
  const meets = (when: Record<string, string>) => Object.entries(when).every(([key, value]) => caller.metadata[key] === value);
  const met = alias.targets.map(whenOf).find((when) => Object.keys(when).length > 0 && meets(when)) ?? {};
  const group = alias.targets.filter((target) => target.weight > 0 && isSame(whenOf(target), met));
  const again = group.find((target) => target.model === beganAt);
  if (again) return again;
  const name = group.length > 1 ? nameOf(alias, caller) : "";
  return group.reduce((best, target) => (lot(alias.salt, target, name) < lot(alias.salt, best, name) ? target : best));
}

/** The messages of a chat completion, or the instructions and the input of a response. */
export function beginning(parameters: Json): unknown[] {
  if (Array.isArray(parameters["messages"])) return parameters["messages"];
  const { instructions, input } = parameters;
  const own = Array.isArray(input) ? input : [{ role: "user", content: input }];
  return instructions ? [{ role: "system", content: instructions }, ...own] : own;
}

function whenOf(target: Target): Record<string, string> {
  return target.when ?? {};
}

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const keys = Object.keys(one);
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key]);
}

/** What all calls that belong together have in common. */
function nameOf({ sticky_by: sticky }: Alias, { parameters, messages, metadata, headers }: Caller): string {
  const named = (sticky?.header && headers.get(sticky.header)) || (sticky?.metadata && metadata[sticky.metadata]);
  const users = [parameters["user"], parameters["safety_identifier"]];
  return named || users.find((user) => typeof user === "string" && user) || first(messages);
}

/** The messages up to the user's first; the first two where it has none. */
function first(messages: unknown[]): string {
  const roles = (messages as (Json | null)[]).map((message): unknown => message?.["role"]);
  const own = roles.includes("user") ? roles.indexOf("user") + 1 : FIRST_MESSAGES;
  const begun = (messages as (Json | null)[]).slice(0, own);
  return begun.map((message, at) => `${typeof roles[at] === "string" ? roles[at] : ""}\x1f${textOf(message?.["content"])}`).join("\x1e");
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  const parts: unknown[] = Array.isArray(content) ? content : [];
  return parts.map((part) => (part as Json | null)?.["text"]).filter((text) => typeof text === "string").join("");
}

function lot(salt: string, target: Target, name: string): number {
  const hash = createHmac("sha256", salt).update(`${target.model}\0${name}`).digest();
  const number = hash.readUInt32BE(0) * 2 ** 20 + (hash.readUInt32BE(4) >>> 12);
  return -Math.log((number + 0.5) / 2 ** 52) / target.weight;
}
