import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic(); // it reads ANTHROPIC_BASE_URL
const stream = client.messages.stream({
  model: "claude-opus-5",
  max_tokens: 4096,
  messages: [{ role: "user", content: "Tell me about tides." }],
});
stream.on("text", text => process.stdout.write(text));
const message = await stream.finalMessage();
for (const block of message.content) {
  if (block.type === "tool_use") console.log(`\n${JSON.stringify(block.input)}`);
}
