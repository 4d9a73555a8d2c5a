// JSON as others write it. In: a text, or a value. Out: the value with null for NaN and infinities, which Python writes;
// or a text that Stillhouse takes, with U+FFFD for each half of a surrogate pair, which UTF-8 cannot encode.

export type Json = Record<string, any>;

const QUOTE_OR_NO_NUMBER = /\\.|"|-?(?:NaN|Infinity)/gs;
const MAYBE_HALF_A_PAIR = /\\ud[89a-f]/;

/** Throws SyntaxError for what is no JSON to anybody. */
export function read(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return JSON.parse(withNulls(text)) as Json;
  }
}

export function written(value: unknown): string {
  const text = JSON.stringify(value);
  if (!MAYBE_HALF_A_PAIR.test(text)) return text;
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === "string" ? inner.toWellFormed() : inner));
}

/** The text with null for each NaN and infinity that stands outside of strings. */
function withNulls(text: string): string {
  let inString = false;
  return text.replace(QUOTE_OR_NO_NUMBER, (found) => {
    if (found === '"') inString = !inString;
    return inString || found === '"' || found.startsWith("\\") ? found : "null";
  });
}
