// app/page.tsx of a Next.js application: shows a reply as it is written.
"use client";
import { useState } from "react";

export default function Page() {
  const [text, setText] = useState("");
  const [state, setState] = useState("idle");

  async function ask() {
    setState("reading");
    try {
      const response = await fetch("/api/chat", {
        method: "POST",
        body: JSON.stringify({ question: "Tell me about tides." }),
      });
      if (!response.ok || !response.body) throw new Error(`status ${response.status}`);
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        setText(before => before + value);
      }
      setState("done");
    } catch (error) {
      setState("failed");
    }
  }

  return (
    <main>
      <button onClick={ask}>Ask</button>
      <pre id="text">{text}</pre>
      <p id="state">{state}</p>
    </main>
  );
}
