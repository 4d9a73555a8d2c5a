// Vercel's AI SDK with a capturing fetch.
import { createOpenAI } from "@ai-sdk/openai";
import { generateText } from "ai";
import { capturingFetch } from "stillhouse";

const fetch = capturingFetch({ store: true, metadata: { feature: "triage" } });
const openai = createOpenAI({ fetch });
const { text } = await generateText({ model: openai.chat("lab-large"), prompt: "My parcel has not arrived." });
console.log(text);
await fetch.stillhouse.flush();
