import { describe } from "vitest";
import { startCraneRegistry } from "../registries/testdata/crane-registry.ts";
import { open, takesTwoAtOnce } from "./testdata/two-launchers.ts";

describe("crane's registry", () => {
  takesTwoAtOnce(async () => open(await startCraneRegistry()));
});
