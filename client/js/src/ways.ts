// Where a call by an alias's name goes. In: a call. Out: the ways on which it is made, one after the other: the target
// that the alias chooses for it, and the fallback. A target at the call's own provider is just another name there; one
// elsewhere is asked where the application has said, and otherwise through Stillhouse's gateway.

import type { Aliases } from "./aliases.ts";
import { BY, type CapturedCascade, type Cascade } from "./cascade.ts";
import { Conversations } from "./conversations.ts";
import { beginning, choose, type Place } from "./choosing.ts";
import type { Endpoint } from "./endpoint.ts";
import type { Json } from "./json.ts";

/** Where another provider's models answer. */
export interface Elsewhere {
  baseURL: string;
  apiKey: string;
}

export interface CapturedAlias {
  name: string;
  version: number;
  target: string;
  cascade?: CapturedCascade;
}

export interface Way {
  input: string;
  init: any;
  /** The model's name at its provider; the call has the one that it has in Stillhouse, by which it is captured. */
  modelThere: string;
  throughGateway: boolean;
  alias: CapturedAlias | undefined;
  /** Notes who made a response; gives the response on. */
  remember?: (response: Response) => Response;
  /** Of a cascade's target; the ways behind it are those of what it is not sure of. */
  cascade?: Cascade | undefined;
}

const CHAT = "/chat/completions";
const CREATED = /(\/chat\/completions|\/responses)$/;
const BUSY = 429;
const FIRST_SERVER_ERROR = 500;

export function isAway(status: number): boolean {
  return status === BUSY || status >= FIRST_SERVER_ERROR;
}

export class Ways {
  readonly #aliases: Aliases;
  readonly #endpoint: Endpoint;
  readonly #clients: Record<string, Elsewhere>;
  readonly #tags: Record<string, string>;
  readonly #conversations = new Conversations();

  constructor(aliases: Aliases, endpoint: Endpoint, clients: Record<string, Elsewhere>, tags: Record<string, string>) {
    this.#aliases = aliases;
    this.#endpoint = endpoint;
    this.#clients = clients;
    this.#tags = tags;
  }

  /** The ways of a call; null where it names no alias. */
  async of(input: unknown, init: any): Promise<Way[] | null> {
    if (!this.#aliases.defaults.size) return null;
    const whole = input instanceof Request ? input : null;
    const url = new URL(String(whole?.url ?? input));
    const method = String(init?.method ?? whole?.method ?? "GET").toUpperCase();
    const path = CREATED.exec(url.pathname)?.[0];
    if (method !== "POST" || path === undefined) return null;
    const body: unknown = init?.body ?? (await whole?.clone().text());
    if (typeof body !== "string") return null;
    const parameters = JSON.parse(body) as Json;
    const name: unknown = parameters["model"];
    const spare = typeof name === "string" ? this.#aliases.defaults.get(name) : undefined;
    if (spare === undefined) return null;
    const headers = new Headers(init?.headers ?? whole?.headers);
    const asked = { signal: whole?.signal, ...init, method, headers };
    const alias = await this.#aliases.find(name as string);
    if (alias === null) return [{ ...on(url.href, asked, parameters, spare), modelThere: spare, alias: undefined }];
    const metadata = { ...this.#tags, ...textsOf(parameters["metadata"]) };
    const caller = { parameters, messages: beginning(parameters), metadata, headers };
    const target = choose(alias, caller, this.#conversations.targetOf(parameters));
    const captured = { name: name as string, version: alias.version, target: target.model };
    const { cascade } = target;
    const places = [cascade?.place ?? target, alias.fallback_place].filter((place) => place != null);
    // A model that nobody serves was retired meanwhile: as in the gateway, the fallback then answers.
    const served = places.filter((place) => place.provider);
    const ways: Way[] = (served.length ? served : places).map((place) => ({ ...this.#way(place, url, path, asked, parameters), alias: captured }));
    // Where the fallback answers, nobody is remembered.
    if (path !== CHAT) ways[0]!.remember = (response) => this.#conversations.watch(response, target.model);
    const distinct = ways.filter((way, number) => number === 0 || way.modelThere !== ways[0]!.modelThere || way.input !== ways[0]!.input);
    // What comes piece by piece is read before it is judged: who answers what the target is not sure of answers it all.
    const isJudged = cascade?.by === BY && target.provider && path === CHAT && !parameters["stream"];
    return isJudged ? [{ ...this.#way(target, url, path, asked, parameters), alias: captured, cascade }, ...distinct] : distinct;
  }

  #way(place: Place, url: URL, path: string, asked: any, parameters: Json): Omit<Way, "alias"> {
    const there = place.model_there ?? place.model;
    const own = url.origin + url.pathname.slice(0, -path.length);
    // Two providers may answer at one URL, for two keys: what was given for one is right.
    const given = place.provider && Object.hasOwn(this.#clients, place.provider) ? this.#clients[place.provider] : undefined;
    if (!given && place.base_url && trimmed(place.base_url) === trimmed(own)) {
      return { ...on(url.href, asked, parameters, place.model), modelThere: there };
    }
    const headers = new Headers(asked.headers);
    for (const header of ["api-key", "openai-organization", "openai-project"]) headers.delete(header);
    headers.set("authorization", `Bearer ${given?.apiKey ?? this.#endpoint.apiKey}`);
    const address = trimmed(given?.baseURL ?? this.#endpoint.baseUrl) + path;
    const way = on(address, { ...asked, headers }, parameters, place.model);
    return given ? { ...way, modelThere: there } : { ...way, modelThere: place.model, throughGateway: true };
  }
}

/** The body that a way's provider gets of what the capture left of it. What is captured here, the gateway does not. */
export function bodyThere(way: Way, body: string): string {
  const parameters = JSON.parse(body) as Json;
  return JSON.stringify({ ...parameters, model: way.modelThere, ...(way.throughGateway ? { store: false } : {}) });
}

function on(input: string, asked: any, parameters: Json, model: string): Pick<Way, "input" | "init" | "throughGateway"> {
  return { input, init: { ...asked, body: JSON.stringify({ ...parameters, model }) }, throughGateway: false };
}

function textsOf(metadata: unknown): Record<string, string> {
  const pairs = metadata !== null && typeof metadata === "object" ? Object.entries(metadata) : [];
  return Object.fromEntries(pairs.map(([key, value]) => [key, typeof value === "string" ? value : JSON.stringify(value)]));
}

function trimmed(url: string): string {
  return url.replace(/\/+$/, "");
}
