// OpenAI's own SDK for JavaScript.
import OpenAI from "openai";

const client = new OpenAI({ baseURL: process.env.STILLHOUSE_GATEWAY_URL, apiKey: process.env.STILLHOUSE_API_KEY });
const completion = await client.chat.completions.create({
  model: "lab-large",
  messages: [{ role: "user", content: "My parcel has not arrived." }],
  store: true,
  metadata: { feature: "triage" },
});
console.log(completion.choices[0].message.content);
