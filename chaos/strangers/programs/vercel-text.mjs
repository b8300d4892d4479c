// As most programs read it: textStream, which ends where an error was.
import { createAnthropic } from "@ai-sdk/anthropic";
import { streamText } from "ai";

const anthropic = createAnthropic({ baseURL: `${process.env.ANTHROPIC_BASE_URL}/v1` });
const result = streamText({ model: anthropic("claude-opus-5"), prompt: "Tell me about tides.", onError: () => {} });
for await (const text of result.textStream) process.stdout.write(text);
