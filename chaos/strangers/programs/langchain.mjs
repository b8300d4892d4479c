import { ChatAnthropic } from "@langchain/anthropic";

const model = new ChatAnthropic({
  model: "claude-opus-5",
  maxTokens: 4096,
  anthropicApiUrl: process.env.ANTHROPIC_BASE_URL,
});
let message;
for await (const chunk of await model.stream("Tell me about tides.")) {
  process.stdout.write(chunk.text);
  message = message ? message.concat(chunk) : chunk;
}
for (const call of message.tool_calls) console.log(`\n${JSON.stringify(call.args)}`);
