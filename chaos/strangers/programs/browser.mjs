// Serves route.ts and page.tsx as Next.js would, opens the page in Chromium, presses the button, and prints what
// a person would read. With the argument "leave" it closes the page as soon as there is text.
import { createServer } from "node:http";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";

const here = import.meta.dirname;
const out = await mkdtemp(join(here, "..", "node_modules", ".browser-"));
const common = { bundle: true, write: true, logLevel: "error", absWorkingDir: here };
await build({ ...common, entryPoints: ["route.ts"], format: "esm", platform: "node", packages: "external", outfile: join(out, "route.mjs") });
const page = await build({
  ...common,
  stdin: {
    contents: 'import { createRoot } from "react-dom/client"; import Page from "./page.tsx"; createRoot(document.getElementById("root")).render(<Page />);',
    loader: "tsx",
    resolveDir: here,
  },
  jsx: "automatic",
  define: { "process.env.NODE_ENV": '"production"' },
  write: false,
});
const { POST } = await import(pathToFileURL(join(out, "route.mjs")));
await rm(out, { recursive: true });

async function answer(request, response) {
  const given = new Request(`http://localhost${request.url}`, { method: "POST", body: Readable.toWeb(request), duplex: "half" });
  const answered = await POST(given);
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  response.flushHeaders(); // as Next.js does; a browser asks again where a connection dies before the head
  const reader = answered.body.getReader();
  response.on("close", () => reader.cancel().catch(() => {}));
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      response.write(value);
    }
    response.end();
  } catch {
    response.destroy();
  }
}

const server = createServer((request, response) => {
  if (request.method === "POST") return void answer(request, response);
  const script = request.url === "/page.js";
  response.setHeader("content-type", script ? "text/javascript" : "text/html; charset=utf-8");
  response.end(script ? page.outputFiles[0].text : '<!doctype html><div id="root"></div><script src="/page.js"></script>');
});
await new Promise(resolve => server.listen(0, "127.0.0.1", resolve));

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] });
const tab = await browser.newPage();
await tab.goto(`http://127.0.0.1:${server.address().port}/`);
await tab.click("button");
if (process.argv[2] === "leave") {
  await tab.waitForFunction(() => document.getElementById("text").textContent);
  process.stdout.write("left");
  await tab.close();
  await new Promise(resolve => setTimeout(resolve, 60_000));
}
await tab.waitForFunction(() => /done|failed/.test(document.getElementById("state").textContent), null, { timeout: 0 });
process.stdout.write(await tab.textContent("#text"));
const failed = (await tab.textContent("#state")) === "failed";
await browser.close();
process.exit(failed ? 1 : 0);
