// LangChain.js with a capturing fetch.
import { ChatOpenAI } from "@langchain/openai";
import { capturingFetch } from "stillhouse";

const fetch = capturingFetch({ store: true, metadata: { feature: "triage" } });
const model = new ChatOpenAI({ model: "lab-large", configuration: { fetch } });
console.log((await model.invoke("My parcel has not arrived.")).content);
await fetch.stillhouse.flush();
