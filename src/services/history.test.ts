import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { causeOf, revisionToRestore } from "./history.ts";

const revisions = [1, 2, 4].map((revision) => ({ revision, created: "", isCurrent: revision === 4 }));

it("goes back to the newest revision before, or to the one that was asked for", () => {
  expect(revisionToRestore("web", revisions, undefined).revision).toBe(2);
  expect(revisionToRestore("web", revisions, 1).revision).toBe(1);
  const now = revisions.map((each) => ({ ...each, isCurrent: each.revision === 2 }));
  expect(revisionToRestore("web", now, undefined).revision).toBe(1);
});

it("says which revisions there are where there is none to go back to", () => {
  for (const asked of [3, 4]) {
    expect(() => revisionToRestore("web", revisions, asked)).toThrow(userErrorWith("revision-not-found", "web"));
    expect(() => revisionToRestore("web", revisions, asked)).toThrow(/lists them: 2, 1\./);
  }
  expect(() => revisionToRestore("web", revisions.slice(2), undefined)).toThrow(
    /no earlier revision.*\n?.*Apply a file/s,
  );
});

it("names what changed in a line", () => {
  expect(causeOf(["spec.template.spec.containers[0].image", "spec.template.spec.nodeSelector"])).toBe(
    "changed image, nodeSelector",
  );
  expect(causeOf(undefined)).toBe("created");
  expect(causeOf(Array.from({ length: 100 }, () => "spec.template.metadata"))).toHaveLength(200);
});
