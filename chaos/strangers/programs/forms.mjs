// Other forms of the SDK's streams: node forms.mjs final | create | abort
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic();
const ask = {
  model: "claude-opus-5",
  max_tokens: 4096,
  messages: [{ role: "user", content: "Tell me about tides." }],
};

const forms = {
  async final() {
    const message = await client.messages.stream(ask).finalMessage();
    for (const block of message.content) {
      if (block.type === "text") process.stdout.write(block.text);
      if (block.type === "tool_use") console.log(`\n${JSON.stringify(block.input)}`);
    }
  },
  async create() {
    let input = "";
    for await (const event of await client.messages.create({ ...ask, stream: true })) {
      if (event.type !== "content_block_delta") continue;
      if (event.delta.type === "text_delta") process.stdout.write(event.delta.text);
      if (event.delta.type === "input_json_delta") input += event.delta.partial_json;
    }
    if (input) console.log(`\n${JSON.stringify(JSON.parse(input))}`);
  },
  async abort() {
    const stream = client.messages.stream(ask);
    stream.on("text", text => {
      process.stdout.write(text);
      stream.abort();
    });
    await stream.finalMessage().catch(error => {
      if (!(error instanceof Anthropic.APIUserAbortError)) throw error;
    });
    await new Promise(resolve => setTimeout(resolve, 60_000)); // the process stays: only the stream was left
  },
};

await forms[process.argv[2]]();
