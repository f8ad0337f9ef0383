import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

test("what is stopped before it began does not end the script's work", async () => {
  const script = [
    "source tools/bootstrap/messages.sh",
    "at_exit() { echo ended; }",
    "for _ in {1..300}; do busy working; idle; done",
    "echo done",
  ];
  expect(await promisify(execFile)("bash", ["-c", script.join("\n")])).toEqual({ stdout: "done\nended\n", stderr: "" });
});
