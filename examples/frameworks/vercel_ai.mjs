// Vercel's AI SDK.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";

const openai = createOpenAI({ baseURL: process.env.STILLHOUSE_GATEWAY_URL, apiKey: process.env.STILLHOUSE_API_KEY });
const { text } = await generateText({
  model: openai("lab-large"),
  prompt: "My parcel has not arrived.",
  providerOptions: { openai: { store: true, metadata: { feature: "triage" } } },
});
console.log(text);
