import { Server, ServerCredentials, type ServerWritableStream, status } from "@grpc/grpc-js";
import { type FakeCache, State } from "./fake-cache.ts";

/** @returns a running cache; stop it in the end */
export async function fakeGrpcCache(instance = "team"): Promise<FakeCache> {
  const state = new State();
  const server = new Server();
  const same = (bytes: Buffer) => bytes;
  const method = (path: string, responseStream: boolean) => ({
    path,
    requestStream: false,
    responseStream,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  });
  const unary = (handle: (request: Buffer) => Buffer) => (call: unknown, done: (error: null, answer: Buffer) => void) => {
    const { request, metadata } = call as { request: Buffer; metadata: { getMap(): Record<string, unknown> } };
    state.headers.push(metadata.getMap());
    done(null, handle(request));
  };
  const field = (number: number, bytes: Uint8Array) => Buffer.concat([Buffer.from([number * 8 + 2]), length(bytes.length), bytes]);
  server.addService(
    {
      read: method("/google.bytestream.ByteStream/Read", true),
      missing: method("/build.bazel.remote.execution.v2.ContentAddressableStorage/FindMissingBlobs", false),
      capabilities: method("/build.bazel.remote.execution.v2.Capabilities/GetCapabilities", false),
    },
    {
      read: (call: ServerWritableStream<Buffer, Buffer>) => {
        state.headers.push(call.metadata.getMap());
        const text = call.request.toString("latin1");
        const [, hex = "", size = ""] = new RegExp(`${instance}/blobs/([0-9a-f]{64})/(\\d+)`).exec(text) ?? [];
        const rest = call.request.subarray(2 + (call.request[1] as number));
        // The resource's name has less than 128 bytes.
        const offset = rest.length > 0 ? [...rest.subarray(1)].reduce((sum, byte, at) => sum + (byte & 127) * 128 ** at, 0) : 0;
        state.log.push(`READ ${hex} ${offset}`);
        const content = state.blobs.get(hex);
        if (content?.length !== Number(size)) return void call.emit("error", { code: status.NOT_FOUND, details: "no blob" });
        const { bytes, how } = state.play(content.subarray(offset));
        for (let from = 0; from < bytes.length; from += 100_000) call.write(field(10, bytes.subarray(from, from + 100_000)));
        const code = how && { cut: status.UNAVAILABLE, fail: status.UNAVAILABLE, refuse: status.UNAUTHENTICATED, range: status.OUT_OF_RANGE }[how as "cut"];
        if (code) call.emit("error", { code, details: `told to ${how}` });
        else if (how !== "hang") call.end();
      },
      missing: unary((request) => {
        state.log.push("MISSING");
        const asked = [...request.toString("latin1").matchAll(/[0-9a-f]{64}/g)].map(([hex]) => hex);
        const lacking = asked.filter((hex) => !state.blobs.has(hex));
        return Buffer.concat(lacking.map((hex) => field(2, field(1, Buffer.from(hex)))));
      }),
      capabilities: unary(() => field(1, Buffer.from(state.digestFunctions.flatMap((number) => [8, number])))),
    },
  );
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))),
  );
  const host = `127.0.0.1:${port}`;
  return Object.assign(state, {
    address: `grpc://${host}/${instance}`,
    host,
    stop: async () => server.forceShutdown(),
  });
}

function length(value: number): Buffer {
  return Buffer.from(value < 128 ? [value] : value < 16_384 ? [(value & 127) | 128, value >> 7] : [(value & 127) | 128, ((value >> 7) & 127) | 128, value >> 14]);
}
