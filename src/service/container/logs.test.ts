import { expect, it } from "vitest";
import type { Containers, Found } from "./containers.ts";
import { followLogs } from "./logs.ts";

type OnData = (data: Buffer, stream: "stdout" | "stderr") => void | Promise<void>;

/** An engine that tells the whole log of a container each time, and what happens after each time. */
class Engine {
  there: readonly { readonly name: string; readonly replica: number; startedAt: string; log: string }[] = [];
  onEnd: (name: string) => void = () => {};

  async names() {
    return this.there.map(({ name }) => name);
  }
  async find(name: string) {
    const found = this.there.find((each) => each.name === name);
    return found && ({ service: "web", ...found } as unknown as Found);
  }
  async logs(name: string, _: object, onData: OnData) {
    const text = this.there.find((each) => each.name === name)?.log ?? "";
    for (const character of text) await onData(Buffer.from(character), "stdout");
    this.onEnd(name);
  }
}

it("follows a service through starts and changes of its containers, no line twice", async () => {
  const engine = new Engine();
  const first = { name: "a", replica: 0, startedAt: "1", log: "one\n" };
  engine.there = [first];
  engine.onEnd = (name) => {
    if (name === "b") engine.there = [];
    else if (first.startedAt === "1") Object.assign(first, { startedAt: "2", log: "one\ntwo\n" });
    else engine.there = [{ name: "b", replica: 0, startedAt: "3", log: "three" }];
  };
  const lines: string[] = [];
  await followLogs(engine as unknown as Containers, "web", (line) => void lines.push(line.toString()));
  expect(lines).toEqual(["one\n", "two\n", "three\n"]);
});

it("tells replicas apart, and ends with the error of one", async () => {
  const engine = new Engine();
  engine.there = [0, 1].map((replica) => ({ name: `c${replica}`, replica, startedAt: "", log: "x\n" }));
  const lines: string[] = [];
  const followed = followLogs(engine as unknown as Containers, "web", (line) => {
    if (lines.push(line.toString()) === 2) throw new Error("the reader is gone");
  });
  await expect(followed).rejects.toThrow("the reader is gone");
  expect(lines.sort()).toEqual(["[web-0] x\n", "[web-1] x\n"]);
});
