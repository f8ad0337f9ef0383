import { afterEach, expect, it, vi } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import type { Api, WebSocketLike } from "./api.ts";
import { refusalError } from "./api-error.ts";
import { connectPod } from "./pod-connection.ts";

const place = { namespace: "n", pod: "p", port: 4747 };

/** An API whose connection is in the test's hands. Each channel begins with its port. */
function fakeApi() {
  const sent: Buffer[] = [];
  const unsent: (() => void)[] = [];
  const calls: string[] = [];
  let pong = () => {};
  const socket = {
    send: (data: Buffer, done: () => void) => {
      sent.push(data);
      unsent.push(done);
    },
    terminate: () => calls.push("terminate"),
    close: () => calls.push("close"),
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
    ping: () => calls.push("ping"),
    on: (_: "pong", listener: () => void) => {
      pong = listener;
    },
    onclose: null as (() => void) | null,
    readyState: 1,
    bufferedAmount: 0,
  };
  let message = (_channel: number, _data: Buffer) => {};
  const api = {
    webSocket: async (_: string, onMessage: typeof message): Promise<WebSocketLike> => {
      message = onMessage;
      for (const channel of [0, 1]) onMessage(channel, Buffer.of(0x8b, 0x12));
      return socket;
    },
  } as unknown as Api;
  return {
    api,
    socket,
    sent,
    unsent,
    calls,
    pong: () => pong(),
    receive: (channel: number, data: string) => message(channel, Buffer.from(data)),
  };
}

afterEach(() => void vi.useRealTimers());

it("passes on bytes, and holds back more while there is no room for them", async () => {
  const fake = fakeApi();
  let data = "";
  const { promise: room, resolve: free } = Promise.withResolvers<void>();
  const connection = await connectPod(fake.api, place, (chunk) => {
    data += chunk;
    return room;
  });
  fake.receive(0, "one");
  fake.receive(0, "two");
  expect(data).toBe("onetwo");
  expect(fake.calls).toEqual(["pause", "pause"]);
  free();
  await vi.waitUntil(() => fake.calls.includes("resume"));
  expect(fake.calls).toEqual(["pause", "pause", "resume"]);
  connection.close();
  expect(await connection.closed).toBe("");
});

it("sends messages that every runtime takes, and says when there is room for more", async () => {
  const fake = fakeApi();
  const connection = await connectPod(fake.api, place, () => undefined);
  const data = Buffer.from("0123456789".repeat(100_000));
  expect(connection.write(data)).toBe(undefined);
  expect(Buffer.concat(fake.sent.map((message) => message.subarray(1))).equals(data)).toBe(true);
  for (const message of fake.sent) {
    expect(message[0]).toBe(0);
    expect(message.length).toBeLessThanOrEqual(256 * 1024 + 1);
  }
  fake.socket.bufferedAmount = 2 ** 24;
  let isFree = false;
  const room = connection.write(Buffer.from("more"));
  expect(room).toBeInstanceOf(Promise);
  void room?.then(() => {
    isFree = true;
  });
  await Promise.resolve();
  expect(isFree).toBe(false);
  fake.unsent.at(-1)?.();
  await room;
  connection.close();
});

it("is over when nobody in the pod accepts it, and when the other side closes it", async () => {
  const refused = fakeApi();
  const one = await connectPod(refused.api, place, () => undefined);
  refused.receive(1, "error forwarding port 4747: connection refused");
  expect(await one.closed).toContain("connection refused");
  expect(refused.calls).toContain("terminate");
  const closed = fakeApi();
  const other = await connectPod(closed.api, place, () => undefined);
  closed.socket.onclose?.();
  expect(await other.closed).toBe("");
});

it("counts as broken when pings are not answered any more", async () => {
  vi.useFakeTimers({ toFake: ["setInterval", "clearInterval", "performance"] });
  const fake = fakeApi();
  let isOver = false;
  const connection = await connectPod(fake.api, place, () => undefined);
  void connection.closed.then(() => {
    isOver = true;
  });
  // A server that answers none is not taken for a broken network.
  await vi.advanceTimersByTimeAsync(120_000);
  expect(isOver).toBe(false);
  expect(fake.calls.filter((call) => call === "ping").length).toBeGreaterThan(5);
  fake.pong();
  await vi.advanceTimersByTimeAsync(20_000);
  expect(isOver).toBe(false);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(isOver).toBe(true);
  expect(await connection.closed).toBe("it does not answer");
});

it("names the right that is missing, also where the server does not", async () => {
  const question = { method: "GET", path: "/x", context: "c", server: "s", user: "u" };
  const api = { webSocket: async () => Promise.reject(refusalError(question, 403, "")) } as unknown as Api;
  const refused = userErrorWith("cluster-refused", "create pods/portforward");
  await expect(connectPod(api, place, () => undefined)).rejects.toThrow(refused);
});
