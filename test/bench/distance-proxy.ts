import { createServer, request as forward, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** A request that a proxy passed on. Times are milliseconds. */
interface Passed {
  readonly method: string;
  readonly path: string;
  readonly start: number;
  end: number;
}

/**
 * A proxy before a registry that is as far away as `delay` milliseconds in each direction. Connections are made at
 * once.
 */
export class DistanceProxy {
  readonly passed: Passed[] = [];
  readonly #delay: number;
  readonly #target: URL;
  readonly #server = createServer((request, response) => {
    this.#pass(request, response).catch(() => request.destroy());
  });

  /** @param registry `host:port` */
  static async start(registry: string, delay: number): Promise<DistanceProxy> {
    const proxy = new DistanceProxy(registry, delay);
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  private constructor(registry: string, delay: number) {
    this.#target = new URL(`http://${registry}`);
    this.#delay = delay;
  }

  get host(): string {
    return `localhost:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Most requests of which each began after the one before had ended. */
  get inARow(): number {
    const longest: number[] = [];
    const inOrder = [...this.passed].sort((a, b) => a.start - b.start);
    for (const [index, { start }] of inOrder.entries()) {
      const before = longest.filter((_, other) => (inOrder[other] as Passed).end <= start);
      longest[index] = 1 + Math.max(0, ...before);
    }
    return Math.max(0, ...longest);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = "", url: path = "", headers } = request;
    const passed: Passed = { method, path, start: performance.now(), end: Number.POSITIVE_INFINITY };
    this.passed.push(passed);
    await wait(this.#delay);
    const { hostname: host, port } = this.#target;
    // The Host stays: registries answer with locations on it.
    const outgoing = forward({ host, port, method, path, headers });
    request.pipe(outgoing);
    const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.on("response", resolve).on("error", reject);
    });
    const body: Buffer[] = [];
    for await (const chunk of incoming) body.push(chunk);
    await wait(this.#delay);
    passed.end = performance.now();
    response.writeHead(incoming.statusCode ?? 502, incoming.headers).end(Buffer.concat(body));
  }
}
