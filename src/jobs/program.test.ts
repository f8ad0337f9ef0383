import { describe, expect, it } from "vitest";
import { makeProgram } from "./program.ts";
import { plain } from "./testdata/jobs.ts";

describe("a function in an image", () => {
  const placed = { image: "r.example.com/a:1", folders: ["/slipway/code/0"], mounts: [] };

  it.each([
    // Debian, and so `worker_base`, has no `python`.
    ["report:main", "python3", "-c"],
    ["report.ts", "node", "--input-type=module"],
  ])("%s is called by %s, whatever the image's entrypoint", (name, entrypoint, first) => {
    const program = makeProgram("f", { ...plain, function: name }, placed, {});
    expect(program).toMatchObject({ entrypoint, argv: expect.arrayContaining([first, name]) });
  });

  it("leaves the entrypoint to a command", () => {
    const program = makeProgram("c", { ...plain, command: ["a"] }, placed, {});
    expect(program).not.toHaveProperty("entrypoint");
    expect(program.argv).toEqual(["a"]);
  });

  it("has the commit of its code", () => {
    const code = {
      GitRepoCommit: { repo_url: "https://git.example.com/a", commit: "0".repeat(40), path_to_source: "." },
    };
    expect(makeProgram("c", { ...plain, command: ["a"], code }, placed, {}).commit).toBe("0".repeat(40));
    expect(makeProgram("c", { ...plain, command: ["a"] }, placed, {})).not.toHaveProperty("commit");
  });
});
