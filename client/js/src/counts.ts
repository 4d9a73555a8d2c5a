// What became of the captured calls of one client; each kind of trouble is told once.

export interface Counts {
  /** Calls that were to be captured. Each of them ends in one of the other figures, or is still on its way. */
  captured: number;
  /** Acknowledged, which means durable. */
  delivered: number;
  /** The redact hook returned null. */
  discarded: number;
  /** The redact hook threw, or returned what is no JSON. */
  redactFailed: number;
  /** A stream that was abandoned, or broke, before its end; an answer that is none. */
  incomplete: number;
  /** Stillhouse refused it for good, or would: it is larger than what is kept. */
  refused: number;
  /** There was no room left, or the wrapper itself failed. */
  dropped: number;
}

export class Tally {
  readonly counts: Counts = {
    captured: 0,
    delivered: 0,
    discarded: 0,
    redactFailed: 0,
    incomplete: 0,
    refused: 0,
    dropped: 0,
  };
  readonly #told = new Set<string>();
  readonly #warn: (message: string) => void;

  constructor(warn: (message: string) => void) {
    this.#warn = warn;
  }

  add(name: keyof Counts, number = 1): void {
    this.counts[name] += number;
  }

  warnOnce(kind: string, message: string): void {
    if (this.#told.has(kind)) return;
    this.#told.add(kind);
    try {
      this.#warn(`stillhouse: ${message}`);
    } catch {
      // The logger is the application's: whatever it throws, the call goes on.
    }
  }

  settled(kind: string): void {
    this.#told.delete(kind);
  }
}
