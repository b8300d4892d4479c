import { createAnthropic } from "@ai-sdk/anthropic";
import { jsonSchema, streamText } from "ai";

const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
const result = streamText({
  model: anthropic("claude-opus-5"),
  prompt: "Tell me about tides.",
  tools: { tide: { description: "Read a gauge.", inputSchema: jsonSchema({ type: "object" }) } },
});
for await (const part of result.fullStream) {
  if (part.type === "text-delta") process.stdout.write(part.text);
  if (part.type === "tool-call") console.log(`\n${JSON.stringify(part.input)}`);
  if (part.type === "error") throw part.error;
}
