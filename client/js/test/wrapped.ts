// Makes the calls given as JSON in the file INPUT through a capturing fetch, whose provider answers each with the body that stands
// beside it, and prints the records that were pushed, by the name of their call: null where none was.
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

import { capturingFetch } from "../src/index.ts";
import { written } from "../src/json.ts";

interface Asked {
  name: string;
  path: string;
  request: Record<string, unknown>;
  kind: string;
  body: string;
}

const calls = JSON.parse(readFileSync(process.env["INPUT"]!, "utf8")) as Asked[];
const records: Record<string, unknown> = Object.fromEntries(calls.map((call) => [call.name, null]));

async function answer(input: unknown, init: any): Promise<Response> {
  const url = new URL(String(input));
  if (url.pathname.includes("/captures/")) return Response.json({ status: "recorded" });
  if (url.pathname.endsWith("/captures")) {
    for (const line of gunzipSync(init.body).toString().split("\n")) {
      const record = JSON.parse(line);
      records[record.request.user] = record;
    }
    return Response.json({ batch_id: "capture_1", refused: [] }, { status: 202 });
  }
  const call = calls.find((one) => one.name === url.searchParams.get("call"))!;
  return new Response(ReadableStream.from(pieces(call.body)), { headers: { "content-type": call.kind } });
}

/** The body's bytes, cut within each character that has several of them, as a network may cut it. */
function* pieces(body: string): Generator<Uint8Array> {
  const bytes = new TextEncoder().encode(body);
  let begun = 0;
  for (const [place, byte] of bytes.entries()) {
    if ((byte & 0xc0) !== 0x80) continue;
    yield bytes.slice(begun, place);
    begun = place;
  }
  yield bytes.slice(begun);
}

const fetch = capturingFetch({ fetch: answer as typeof globalThis.fetch, baseURL: "http://stillhouse.test/v1", apiKey: "k" });
for (const { name, path, request } of calls) {
  const response = await fetch(`http://provider.test${path}?call=${name}`, { method: "POST", body: JSON.stringify(request) });
  await response.text();
}
const flushed = await fetch.stillhouse.flush(10_000);
console.log(written({ flushed, records, counts: fetch.stillhouse.counts }));
