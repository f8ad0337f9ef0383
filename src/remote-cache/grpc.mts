// In a file beside the launcher: only a push from a cache needs it.
import type { SecureContext } from "node:tls";
import { Client, credentials, Metadata } from "@grpc/grpc-js";

export interface GrpcConnection {
  /** @throws an Error with gRPC's status as `code` */
  ask(method: string, request: Buffer, headers: Readonly<Record<string, string>>): Promise<Buffer>;
  /** Errors as of `ask`. */
  read(method: string, request: Buffer, headers: Readonly<Record<string, string>>): AsyncIterable<Buffer> & { cancel(): void };
  close(): void;
}

const deadline = 60_000;

/** @param secureContext undefined: without TLS */
export function connect(target: string, secureContext: SecureContext | undefined): GrpcConnection {
  const client = new Client(
    target,
    secureContext ? credentials.createFromSecureContext(secureContext) : credentials.createInsecure(),
    {
      "grpc.max_receive_message_length": 16 * 1024 * 1024,
      // Our own retries continue where a stream broke off.
      "grpc.enable_retries": 0,
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 20_000,
    },
  );
  const same = (bytes: Buffer) => bytes;
  const metadata = (headers: Readonly<Record<string, string>>) => {
    const all = new Metadata();
    for (const [name, value] of Object.entries(headers)) all.set(name.toLowerCase(), value);
    return all;
  };
  return {
    ask: (method, request, headers) =>
      new Promise((resolve, reject) => {
        const options = { deadline: Date.now() + deadline };
        client.makeUnaryRequest(method, same, same, request, metadata(headers), options, (error, answer) =>
          error ? reject(error) : resolve(answer ?? Buffer.alloc(0)),
        );
      }),
    read: (method, request, headers) => {
      const answers = client.makeServerStreamRequest(method, same, same, request, metadata(headers));
      // A reader that has enough cancels the stream, and listens no more.
      return answers.on("error", () => {});
    },
    close: () => client.close(),
  };
}
