// Take finished calls and push them to Stillhouse in the background. In: calls, at the cost of an append. Out: batches
// that Stillhouse acknowledged. While it is away they wait in memory, and are tried again at growing intervals; what
// does not fit is dropped and counted. No timer keeps the process alive; a process that has nothing else to do pushes
// what waits before it ends.

import { answerIn } from "./assemble.ts";
import type { Tally } from "./counts.ts";
import { Away, type Endpoint, Refused } from "./endpoint.ts";
import { type Json, written } from "./json.ts";
import type { CapturedAlias } from "./ways.ts";

export interface Seen {
  /** The request as JSON: the application may change its own object meanwhile. */
  request: string;
  body: string;
  latencyMs: number;
  provider: string;
  /** The alias that the call was made by. */
  alias?: CapturedAlias | undefined;
}

export type Redact = (record: Json) => Json | null;

const QUEUE_CALLS = 10_000;
const QUEUE_LETTERS = 64 * 1024 * 1024;
const BATCH_CALLS = 200;
// Far under the 4 MB that a push may have on the wire, also where nothing can be compressed and a letter has 3 bytes.
const BATCH_LETTERS = 1024 * 1024;
// Stillhouse keeps no record of more bytes.
const LONGEST_LINE = 4 * 1024 * 1024;
const LINGER_MS = 1000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 60_000;
const POLL_MS = 50;
const LONGEST_POLL_MS = 1000;
const MOST_UNCONFIRMED = 256;
// A batch that was acknowledged longer ago is recorded, or it is in the dead-letter queue.
const CONFIRM_WITHIN_MS = 600_000;

export class Delivery {
  readonly #endpoint: Endpoint;
  readonly #redact: Redact | undefined;
  readonly #tally: Tally;
  #queue: Seen[] = [];
  #letters = 0;
  #lines: string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #pushing: Promise<void> | undefined;
  #failures = 0;
  #retryAfterMs = 0;
  #awaited = false;
  #unconfirmed = new Map<string, number>();

  constructor(endpoint: Endpoint, redact: Redact | undefined, tally: Tally) {
    this.#endpoint = endpoint;
    this.#redact = redact;
    this.#tally = tally;
  }

  put(seen: Seen): void {
    const letters = lettersOf(seen);
    if (this.#queue.length >= QUEUE_CALLS || this.#letters + letters > QUEUE_LETTERS) {
      this.#tally.add("dropped");
      this.#tally.warnOnce("queue", "captured calls come faster than they can be pushed: some are dropped");
      return;
    }
    this.#queue.push(seen);
    this.#letters += letters;
    if (!this.#awaited) {
      this.#awaited = true;
      process.once("beforeExit", () => {
        this.#awaited = false;
        if (!this.#failures) void this.#push();
      });
    }
    const full = this.#queue.length >= BATCH_CALLS || this.#letters >= BATCH_LETTERS;
    if (full && !this.#failures) void this.#push();
    else this.#wakeIn(this.#failures ? this.#pauseMs() : LINGER_MS);
  }

  /** Whether all that was put so far can be read within so many milliseconds. */
  async flush(timeoutMs: number): Promise<boolean> {
    const ends = Date.now() + timeoutMs;
    this.#failures = 0;
    while (this.#queue.length || this.#lines.length || this.#pushing) {
      await within(this.#push(), ends);
      if (Date.now() >= ends) return false;
      if (this.#failures) await sleep(Math.min(this.#pauseMs(), ends - Date.now()));
    }
    for (const [batchId, at] of this.#unconfirmed) {
      if (!(await this.#confirmed(batchId, at, ends))) return false;
    }
    return true;
  }

  #wakeIn(ms: number): void {
    if (this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#push();
    }, ms);
    this.#timer.unref();
  }

  #push(): Promise<void> {
    this.#pushing ??= this.#pushAll().finally(() => {
      this.#pushing = undefined;
      if (this.#queue.length || this.#lines.length) this.#wakeIn(this.#failures ? this.#pauseMs() : LINGER_MS);
    });
    return this.#pushing;
  }

  async #pushAll(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    while (this.#queue.length || this.#lines.length) {
      if (!this.#lines.length) this.#pack();
      if (this.#lines.length && !(await this.#delivered(this.#lines))) return;
      this.#lines = [];
    }
  }

  /** Whether these lines are dealt with; false where they are to be tried again. */
  async #delivered(lines: string[]): Promise<boolean> {
    try {
      const { batchId, refused } = await this.#endpoint.push(lines);
      this.#failures = 0;
      this.#tally.settled("away");
      this.#tally.add("delivered", lines.length - refused);
      this.#refused(refused);
      this.#unconfirmed.set(batchId, Date.now());
      for (const oldest of this.#unconfirmed.keys()) {
        if (this.#unconfirmed.size > MOST_UNCONFIRMED) this.#unconfirmed.delete(oldest);
      }
    } catch (error) {
      if (error instanceof Refused) return this.#alone(lines, error);
      this.#failures += 1;
      const away = error instanceof Away ? error : new Away("the push failed");
      this.#tally.warnOnce("away", `Stillhouse cannot be reached (${away.message}); captured calls wait in memory`);
      this.#retryAfterMs = away.retryAfterMs;
      return false;
    }
    return true;
  }

  /** What is refused together is pushed one by one, so that one odd record takes no other with it. */
  async #alone(lines: string[], refusal: Refused): Promise<boolean> {
    if (lines.length === 1) {
      this.#refused(1, refusal.status);
      return true;
    }
    while (this.#lines.length) {
      if (!(await this.#delivered(this.#lines.slice(0, 1)))) return false;
      this.#lines = this.#lines.slice(1);
    }
    return true;
  }

  #refused(records: number, status = 202): void {
    if (!records) return;
    this.#tally.add("refused", records);
    this.#tally.warnOnce("refused", `Stillhouse refused captured calls (status ${status})`);
  }

  #pack(): void {
    let letters = 0;
    while (this.#queue.length && this.#lines.length < BATCH_CALLS) {
      const size = lettersOf(this.#queue[0]!);
      if (this.#lines.length && letters + size > BATCH_LETTERS) return;
      const seen = this.#queue.shift()!;
      this.#letters -= size;
      letters += size;
      const line = this.#line(seen);
      if (line !== null && !this.#isTooLarge(line)) this.#lines.push(line);
    }
  }

  #isTooLarge(line: string): boolean {
    const size = Buffer.byteLength(line);
    if (size <= LONGEST_LINE) return false;
    this.#tally.add("refused");
    this.#tally.warnOnce(
      "large",
      `a call of ${size} bytes is not captured: at most ${LONGEST_LINE} are kept. Name images by an https URL in place ` +
        "of their bytes, or make them smaller",
    );
    return true;
  }

  /** A line that the redact hook has not seen is never returned. */
  #line(seen: Seen): string | null {
    let record: Json;
    try {
      const response = answerIn(seen.body);
      if (response === null) throw new TypeError("no answer");
      record = { request: JSON.parse(seen.request), response, latency_ms: seen.latencyMs, provider: seen.provider };
      if (seen.alias) record["alias"] = seen.alias;
    } catch {
      this.#tally.add("incomplete");
      return null;
    }
    try {
      const redacted = this.#redact ? this.#redact(record) : record;
      if (redacted === null) {
        this.#tally.add("discarded");
        return null;
      }
      if (typeof redacted !== "object" || "then" in redacted) throw new TypeError("no record");
      return written(redacted);
    } catch (error) {
      this.#tally.add("redactFailed");
      // Only the kind is told: the message may quote what the hook was to hide.
      const kind = error instanceof Error ? error.name : "something";
      this.#tally.warnOnce("redact", `redact threw ${kind}; such records are not sent`);
      return null;
    }
  }

  #pauseMs(): number {
    const doubled = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - 1), LONGEST_PAUSE_MS);
    return Math.max(doubled * (0.5 + Math.random() / 2), Math.min(this.#retryAfterMs, LONGEST_PAUSE_MS));
  }

  async #confirmed(batchId: string, at: number, ends: number): Promise<boolean> {
    for (let pause = POLL_MS; Date.now() - at < CONFIRM_WITHIN_MS; pause = Math.min(2 * pause, LONGEST_POLL_MS)) {
      if (Date.now() >= ends) return false;
      if (await this.#endpoint.recorded(batchId).catch(() => false)) break;
      await sleep(Math.min(pause, Math.max(0, ends - Date.now())));
    }
    this.#unconfirmed.delete(batchId);
    return true;
  }
}

function lettersOf(seen: Seen): number {
  return seen.request.length + seen.body.length;
}

async function within(work: Promise<void>, ends: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, Math.max(0, ends - Date.now()));
  });
  await Promise.race([work, late]);
  clearTimeout(timer);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
