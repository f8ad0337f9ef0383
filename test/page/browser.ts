import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { onTestFinished } from "vitest";

interface Reply {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** A page in a real browser, by Chromium's DevTools protocol. */
export class Page {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<Readonly<Record<string, unknown>>>>();
  #session = "";
  #count = 0;
  /** Errors of scripts, and what the page's policy refused. */
  readonly problems: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#take(JSON.parse(String(data)));
  }

  /** Opens a browser with an empty page. It ends with the test. */
  static async open(): Promise<Page> {
    const folder = mkdtempSync(join(tmpdir(), "slipway-browser-"));
    const args = [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--remote-debugging-port=0",
      `--user-data-dir=${folder}`,
    ];
    const browser = spawn("chromium", [...args, "--window-size=1300,1000", "about:blank"], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    const ended = new Promise((resolve) => browser.once("close", resolve));
    onTestFinished(async () => {
      browser.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    });
    let address = "";
    for await (const line of createInterface({ input: browser.stderr })) {
      address = /^DevTools listening on (ws:\S+)/.exec(line)?.[1] ?? "";
      if (address !== "") break;
    }
    browser.stderr.resume();
    const socket = new WebSocket(address);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const page = new Page(socket);
    const { targetId } = await page.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await page.send("Target.attachToTarget", { targetId, flatten: true });
    page.#session = String(sessionId);
    for (const domain of ["Page", "Runtime", "Log", "Network"]) await page.send(`${domain}.enable`);
    return page;
  }

  #take({ id, method, params, result, error }: Reply): void {
    if (id !== undefined) {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) waiting?.reject(new Error(error.message));
      else waiting?.resolve(result ?? {});
    } else if (method === "Runtime.exceptionThrown" || method === "Log.entryAdded") {
      this.problems.push(JSON.stringify(params));
    }
  }

  send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#count;
    const waiting = Promise.withResolvers<Readonly<Record<string, unknown>>>();
    this.#waiting.set(id, waiting);
    this.#socket.send(JSON.stringify({ id, method, params, ...(this.#session ? { sessionId: this.#session } : {}) }));
    return waiting.promise;
  }

  /** The value of an expression, awaited. */
  async value<Value>(expression: string): Promise<Value> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", options);
    if (exceptionDetails) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value: Value }).value;
  }

  /** Waits in the page until an expression is true: it looks at each frame. */
  async until(expression: string): Promise<void> {
    await this.value(`new Promise((resolve) => {
      const look = () => ((${expression}) ? resolve(true) : requestAnimationFrame(look));
      look();
    })`);
  }

  async go(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
  }

  async theme(scheme: "light" | "dark"): Promise<void> {
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
  }

  /** A picture of the whole page, as PNG. */
  async picture(): Promise<Buffer> {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    return Buffer.from(String(data), "base64");
  }
}
