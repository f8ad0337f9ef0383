import { expect, it } from "vitest";
import type { Pod } from "../../kubernetes/objects.ts";
import { remember } from "./observation.ts";

it("remembers the time at which a pod's deletion was asked for", () => {
  const known = new Map<string, Pod>();
  const of = (deletionTimestamp: string, deletionGracePeriodSeconds: number, phase: "Running" | "Failed") => {
    const metadata = { name: "p", uid: "u", resourceVersion: "1", creationTimestamp: "2026-03-01T10:00:00Z" };
    const spec = { containers: [{ name: "main", image: "i" }] };
    return { metadata: { ...metadata, deletionTimestamp, deletionGracePeriodSeconds }, spec, status: { phase } } as Pod;
  };
  remember(known, [of("2026-03-01T10:00:12Z", 5, "Running")]);
  remember(known, [of("2026-03-01T10:00:09Z", 0, "Failed")]);
  expect(known.get("p")).toEqual(of("2026-03-01T10:00:12Z", 5, "Failed"));
});
