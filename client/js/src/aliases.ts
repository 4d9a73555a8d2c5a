// The aliases that an application names, as Stillhouse has them. In: the names, each with the model that answers while
// nothing is known of it. Out: the alias, at most `ttlMs` old. While Stillhouse is away the last known one holds. Nothing
// here throws, and no call waits longer than a second: only one that comes after a silence of `ttlMs` waits at all.

import { type Alias, choose } from "./choosing.ts";
import type { Tally } from "./counts.ts";
import type { Endpoint } from "./endpoint.ts";

const WAIT_MS = 1000;
const PAUSE_MS = 5000;

export class Aliases {
  readonly defaults: ReadonlyMap<string, string>;
  readonly #endpoint: Endpoint;
  readonly #ttlMs: number;
  readonly #tally: Tally;
  #known = new Map<string, Alias | null>();
  #at = -Infinity;
  #tried = -Infinity;
  #away = false;
  #asking: Promise<void> | undefined;

  constructor(endpoint: Endpoint, defaults: Record<string, string>, ttlMs: number, tally: Tally) {
    this.defaults = new Map(Object.entries(defaults));
    this.#endpoint = endpoint;
    this.#ttlMs = ttlMs;
    this.#tally = tally;
    if (this.defaults.size) void this.#ask();
  }

  /** The alias of this name; null where nothing is known of it, or it is deleted. */
  async find(name: string): Promise<Alias | null> {
    const now = performance.now();
    const age = now - this.#at;
    const failedJustNow = this.#tried > this.#at && now - this.#tried < Math.min(this.#ttlMs, PAUSE_MS);
    if (age >= this.#ttlMs / 2 && !failedJustNow) {
      const asking = this.#ask();
      // Where Stillhouse is known to be away, no call waits for it again.
      if (age >= this.#ttlMs && !this.#away) await within(asking, WAIT_MS);
    }
    return this.#known.get(name) ?? null;
  }

  #ask(): Promise<void> {
    this.#asking ??= this.#refresh().finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  async #refresh(): Promise<void> {
    const began = performance.now();
    try {
      const known = new Map<string, Alias | null>();
      for (const name of this.defaults.keys()) known.set(name, checked(await this.#endpoint.alias(name)));
      this.#known = known;
      this.#at = this.#tried = began;
      this.#away = false;
      this.#tally.settled("aliases");
    } catch (error) {
      this.#tried = performance.now();
      this.#away = true;
      const why = error instanceof Error ? error.message : "no answer";
      this.#tally.warnOnce("aliases", `aliases cannot be read (${why}); the last known ones hold`);
    }
  }
}

/** The alias, if a call can be made by it. */
function checked(alias: Alias | null): Alias | null {
  for (const { when } of alias?.targets ?? []) {
    choose(alias!, { parameters: { user: "x" }, messages: [], metadata: when ?? {}, headers: new Headers() });
  }
  return alias;
}

async function within(work: Promise<void>, ms: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}
