// A call by an alias's name, made along its ways. In: the ways. Out: the answer of the first one that leads to one; where
// none does, the first one's failure. A cascade's target comes before all others: its answer is given where it is sure
// enough, and where nobody else answers.

import { type CapturedCascade, confidenceOf, firstAsked, plain } from "./cascade.ts";
import type { Call, Recorder } from "./capture.ts";
import type { Fetch } from "./endpoint.ts";
import type { Json } from "./json.ts";
import { bodyThere, type CapturedAlias, isAway, type Way } from "./ways.ts";

// Of the time that the SDK gives a call, the target has this part: who is asked next needs the rest.
const FIRST_SHARE = 0.4;
const TIMEOUT_S = "x-stainless-timeout";

/** What the target of a cascade said, and what is captured of the cascade where its answer is not kept. */
interface First {
  began: number;
  sure: boolean;
  given: (() => Response) | undefined;
  sentOn: CapturedAlias | undefined;
}

export async function along(ways: Way[], recorder: Recorder, fetch: Fetch): Promise<Response> {
  const first = ways[0]!.cascade ? await askFirst(ways[0]!, recorder, fetch) : undefined;
  if (first?.sure) return first.given!();
  const isTarget = (way: Way) => way.input === ways[0]!.input && way.modelThere === ways[0]!.modelThere;
  // The target has said what it says, and is no fallback behind who is asked next.
  const answering = first ? ways.slice(1).filter((way, number) => number === 0 || !isTarget(way)) : ways;
  const failed: (() => Response)[] = [];
  for (const way of answering) {
    const call = await recorder.begin(way.input, way.init, first?.sentOn ?? way.alias);
    call.init = { ...call.init, body: bodyThere(way, call.init.body) };
    if (first) call.started = first.began;
    try {
      const answer = await fetch(call.input, call.init);
      const response = way.remember?.(answer) ?? answer;
      const isLast = answering.length === 1 || !isAway(response.status);
      if (isLast && (response.ok || !first?.given)) return watched(response, call, recorder);
      failed.push(() => response);
    } catch (error) {
      if (isAborted(call)) throw error;
      failed.push(() => {
        throw error;
      });
    }
  }
  return first?.given ? first.given() : failed[0]!();
}

async function askFirst(way: Way, recorder: Recorder, fetch: Fetch): Promise<First> {
  const { to, by, threshold } = way.cascade!;
  const call = await recorder.begin(way.input, way.init, way.alias);
  const asked = JSON.parse(bodyThere(way, call.init.body)) as Json;
  const said = (confidence: number | null, kept: boolean, first_asked: Json | null): CapturedAlias => {
    const cascade: CapturedCascade = { to, by, threshold, confidence, kept, first_asked };
    return { ...way.alias!, cascade };
  };
  const first: First = { began: call.started, sure: false, given: undefined, sentOn: said(null, false, null) };
  try {
    const [response, text] = await askedInPart(call, JSON.stringify({ ...asked, logprobs: true }), fetch);
    if (!response.ok) return first;
    const completion = JSON.parse(text) as Json;
    const confidence = confidenceOf(completion);
    first.sure = confidence !== null && confidence >= threshold;
    first.sentOn = said(confidence, false, firstAsked(completion, way.alias!.target, performance.now() - call.started));
    first.given = () => {
      call.alias = said(confidence, true, null);
      return watched(written(asked["logprobs"] ? completion : plain(completion), response), call, recorder);
    };
  } catch (error) {
    if (isAborted(call)) throw error;
  }
  return first;
}

/** The completion as the answer that came. */
function written(completion: Json, { status, statusText, headers, url }: Response): Response {
  const own = new Headers(headers);
  for (const name of ["content-length", "content-encoding", "transfer-encoding"]) own.delete(name);
  const response = new Response(JSON.stringify(completion), { status, statusText, headers: own });
  return Object.defineProperty(response, "url", { value: url });
}

function watched(response: Response, call: Call, recorder: Recorder): Response {
  return call.request === undefined ? response : recorder.watch(response, call);
}

/** The target's answer, read whole unless it is a refusal, in the target's part of the time where that is known. */
async function askedInPart(call: Call, body: string, fetch: Fetch): Promise<[Response, string]> {
  const own = call.init.signal as AbortSignal | null | undefined;
  const seconds = Number(new Headers(call.init.headers).get(TIMEOUT_S));
  const part = new AbortController();
  const timer = seconds > 0 ? setTimeout(() => part.abort(), 1000 * seconds * FIRST_SHARE) : undefined;
  try {
    const signal = own ? AbortSignal.any([own, part.signal]) : part.signal;
    const response = await fetch(call.input, { ...call.init, body, signal });
    return [response, response.ok ? await response.text() : ""];
  } finally {
    clearTimeout(timer);
  }
}

function isAborted(call: Call): boolean {
  return Boolean((call.init.signal as AbortSignal | null | undefined)?.aborted);
}
