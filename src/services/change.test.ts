import { expect, it } from "vitest";
import { differencesOf } from "../config/difference.ts";
import { changeLines } from "./change.ts";

const [old, current] = ["a".repeat(40), "b".repeat(40)];

function changeOf(before: object, after: object): string {
  const differences = differencesOf(before, after);
  return changeLines({ action: "change", kind: "Deployment", name: "web", fields: ["x"], differences });
}

it("shows what each field was and is", () => {
  const before = { spec: { replicas: 1, image: "a.io/b@sha256:0", command: ["a b"] } };
  const after = { spec: { replicas: 2, image: "a.io/b@sha256:1", paused: false } };
  expect(changeOf(before, after)).toBe(
    [
      "change Deployment web: x",
      '  spec.command: ["a b"] → (none)',
      "  spec.image: a.io/b@sha256:0 → a.io/b@sha256:1",
      "  spec.paused: (none) → false",
      "  spec.replicas: 1 → 2",
      "",
    ].join("\n"),
  );
});

it("shows a commit as a commit, in a cluster and on one machine", () => {
  const folder = (commit: string) => `repositories/${"0".repeat(16)}/${commit}`;
  const argument = (commit: string) =>
    `--repository=${JSON.stringify({ url: "https://a.io/b", commit, folder: folder(commit) })}`;
  expect(changeOf({ args: [argument(old), "x"] }, { args: [argument(current), "x"] })).toContain(
    `  args[0]: https://a.io/b: commit ${old} → ${current}\n`,
  );
  expect(changeOf({ args: [argument(old)] }, { args: [argument(current), "x"] })).toContain(
    `  args: https://a.io/b: commit ${old} → ${current}\n`,
  );
  expect(
    changeOf({ folders: { "/r/b": `v/${folder(old)}` } }, { folders: { "/r/b": `v/${folder(current)}` } }),
  ).toContain(`: commit ${old} → ${current}\n`);
});

it("leaves out the middle of a long value, and values that are not to be shown", () => {
  const text = changeOf({ a: "x".repeat(1000) }, { a: "y".repeat(1000) });
  expect(text).toMatch(/x…x/);
  expect(text.length).toBeLessThan(400);
  const hidden = {
    action: "change",
    kind: "Container",
    name: "web-0",
    fields: ["env.A"],
    differences: [{ field: "env.A" }],
  };
  expect(changeLines(hidden)).toBe("change Container web-0: env.A\n");
});
