// Which target of an alias has made a response: a call that goes on from it is asked there, too, since the response is kept
// at its provider. In: a response as it comes, and the target that was asked. Out: the target, by the id of the response.
// The newest ids are known, of this process alone. Nothing here throws into the application.

import type { Json } from "./json.ts";

const MOST = 10_000;
const LONGEST_ID = 512;
const LARGEST = 8 * 1024 * 1024;
// Not a dot: it ends at a carriage return, and at a line separator of Unicode inside a text.
const EVENTS = /^data:([^\n]*)\n/gm;

export class Conversations {
  readonly #targets = new Map<string, string>();

  /** The target that made the response from which a call goes on; undefined where none is known. */
  targetOf(parameters: Json): string | undefined {
    const previous: unknown = parameters["previous_response_id"];
    return typeof previous === "string" ? this.#targets.get(previous) : undefined;
  }

  /** The same response; its id is noted before the application has read it. */
  watch(response: Response, target: string): Response {
    if (!response.ok || response.body === null) return response;
    const { status, statusText, headers, url, body } = response;
    const streams = headers.get("content-type")?.includes("event-stream") ?? false;
    const watched = new Response(this.#watched(body, target, streams), { status, statusText, headers });
    return Object.defineProperty(watched, "url", { value: url });
  }

  #watched(body: ReadableStream<Uint8Array>, target: string, streams: boolean): ReadableStream<Uint8Array> {
    const decoder = new TextDecoder();
    let text: string | undefined = "";
    const look = (value: Uint8Array | undefined) => {
      if (text === undefined) return;
      text += decoder.decode(value, { stream: value !== undefined });
      // Before the first event of a response `keepalive` may come.
      const told = streams ? [...text.matchAll(EVENTS)].map((event) => event[1]!) : value === undefined ? [text] : [];
      if (told.some((document) => this.#note(document, target)) || text.length > LARGEST) text = undefined;
    };
    return body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>(
        {
          transform(value, controller) {
            look(value);
            controller.enqueue(value);
          },
          flush: () => look(undefined),
        },
        // Nothing is read ahead of the application.
        { highWaterMark: 1 },
        { highWaterMark: 0 },
      ),
    );
  }

  /** Whether a document tells the id of a response, which is noted. */
  #note(text: string, target: string): boolean {
    let id: unknown;
    try {
      const document = JSON.parse(text) as Json;
      id = document["id"] ?? (document["response"] as Json | undefined)?.["id"];
    } catch {
      return false;
    }
    if (typeof id !== "string" || id.length > LONGEST_ID) return false;
    this.#targets.set(id, target);
    while (this.#targets.size > MOST) this.#targets.delete(this.#targets.keys().next().value!);
    return true;
  }
}
