// LangChain.js.
import { ChatOpenAI } from "@langchain/openai";

const model = new ChatOpenAI({
  model: "lab-large",
  apiKey: process.env.STILLHOUSE_API_KEY,
  configuration: { baseURL: process.env.STILLHOUSE_GATEWAY_URL },
  modelKwargs: { store: true, metadata: { feature: "triage" } },
});
console.log((await model.invoke("My parcel has not arrived.")).content);
