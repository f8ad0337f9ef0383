import { expect, it } from "vitest";
import type { LogOptions } from "../log-options.ts";
import type { Containers, Found } from "./containers.ts";
import { followLogs } from "./logs.ts";

type OnData = (data: Buffer, stream: "stdout" | "stderr") => void | Promise<void>;

/** An engine that tells the whole log of a container each time, and what happens after each time. */
class Engine {
  there: readonly { readonly id: string; readonly replica: number; startedAt: string; log: string }[] = [];
  onEnd: (id: string) => void = () => {};

  async ids() {
    return this.there.map(({ id }) => id);
  }
  async find(id: string) {
    const found = this.there.find((each) => each.id === id);
    return found && ({ service: "web", name: "same", ...found } as unknown as Found);
  }
  async logs(id: string, _: object, onData: OnData) {
    const text = this.there.find((each) => each.id === id)?.log ?? "";
    for (const character of text) await onData(Buffer.from(character), "stdout");
    this.onEnd(id);
  }
}

it("follows a service through starts and changes of its containers, no line twice", async () => {
  const engine = new Engine();
  const first = { id: "a", replica: 0, startedAt: "1", log: "one\n" };
  engine.there = [first];
  engine.onEnd = (id) => {
    if (id === "b") engine.there = [];
    else if (first.startedAt === "1") Object.assign(first, { startedAt: "2", log: "one\ntwo\n" });
    else engine.there = [{ id: "b", replica: 0, startedAt: "3", log: "three" }];
  };
  const lines: string[] = [];
  await followLogs(engine as unknown as Containers, "web", (line) => void lines.push(line.toString()));
  expect(lines).toEqual(["one\n", "two\n", "three\n"]);
});

it("shows the last lines once, and all that a container prints after its next start", async () => {
  const engine = new Engine();
  const first = { id: "a", replica: 0, startedAt: "2026-01-01T00:00:00.5Z", log: "two\n" };
  engine.there = [first];
  const asked: LogOptions[] = [];
  const logs = engine.logs.bind(engine);
  engine.logs = (id, options, onData) => {
    asked.push(options as LogOptions);
    return logs(id, options, onData);
  };
  engine.onEnd = () => {
    if (asked.length === 1) Object.assign(first, { startedAt: "2026-01-02T00:00:00.5Z", log: "3\n" });
    else engine.there = [];
  };
  const lines: string[] = [];
  const options = { tail: 1, since: new Date("2025-01-01"), timestamps: true };
  await followLogs(engine as unknown as Containers, "web", (line) => void lines.push(line.toString()), options);
  expect(lines).toEqual(["two\n", "3\n"]);
  expect(asked).toMatchObject([
    { follow: true, ...options },
    { follow: true, timestamps: true, tail: undefined, since: new Date("2026-01-02T00:00:00.5Z") },
  ]);
});

it("tells replicas apart, and ends with the error of one", async () => {
  const engine = new Engine();
  engine.there = [0, 1].map((replica) => ({ id: `c${replica}`, replica, startedAt: "", log: "x\n" }));
  const lines: string[] = [];
  const followed = followLogs(engine as unknown as Containers, "web", (line) => {
    if (lines.push(line.toString()) === 2) throw new Error("the reader is gone");
  });
  await expect(followed).rejects.toThrow("the reader is gone");
  expect(lines.sort()).toEqual(["[web-0] x\n", "[web-1] x\n"]);
});
