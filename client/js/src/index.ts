export { capture, type Captures, capturingFetch, type Options } from "./capture.ts";
export type { Counts } from "./counts.ts";
export type { Elsewhere } from "./ways.ts";
export type { Redact } from "./delivery.ts";
