/** What tests use of autocannon, which says nothing of its types itself. */
declare module "autocannon" {
  interface Options {
    readonly url: string;
    readonly connections: number;
    /** Requests of a client over one connection. */
    readonly reconnectRate: number;
    /** Seconds. */
    readonly duration: number;
    /** Seconds without an answer. */
    readonly timeout: number;
    readonly setupClient: (client: import("node:events").EventEmitter) => void;
    readonly verifyBody: (body: Buffer | string) => boolean;
  }

  interface Result {
    /** Seconds. */
    readonly duration: number;
    /** Milliseconds. */
    readonly latency: { readonly p50: number; readonly p99: number; readonly max: number };
  }

  export default function autocannon(options: Options): Promise<Result> & { stop(): void };
}
