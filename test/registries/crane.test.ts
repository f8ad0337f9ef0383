import { describe } from "vitest";
import { startCraneRegistry } from "./testdata/crane-registry.ts";
import { plainHttp, worksWith } from "./testdata/suite.ts";

describe("crane's registry", () => {
  worksWith(async () => ({ host: await startCraneRegistry(), skopeo: () => [plainHttp] }));
});
