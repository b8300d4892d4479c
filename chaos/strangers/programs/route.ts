// app/api/chat/route.ts of a Next.js application: relays a reply to the page as text.
import Anthropic from "@anthropic-ai/sdk";

const client = new Anthropic(); // it reads ANTHROPIC_BASE_URL

export async function POST(request: Request): Promise<Response> {
  const { question } = await request.json();
  const stream = client.messages.stream({
    model: "claude-opus-5",
    max_tokens: 4096,
    messages: [{ role: "user", content: question }],
  });
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      stream.on("text", text => controller.enqueue(encoder.encode(text)));
      try {
        await stream.finalMessage();
        controller.close();
      } catch (error) {
        controller.error(error); // the page's reader fails, too
      }
    },
    cancel() {
      stream.abort(); // the page was left
    },
  });
  return new Response(body, { headers: { "content-type": "text/plain; charset=utf-8" } });
}
