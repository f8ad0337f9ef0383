import { describe } from "vitest";
import { startRegistry, temporaryFolder } from "./testdata/daemon.ts";
import { worksWith } from "./testdata/suite.ts";

describe("crane's registry", () => {
  worksWith(() => {
    const args = ["registry", "serve", "--disk", temporaryFolder(), "--address", "127.0.0.1:0"];
    return startRegistry("crane", args, /serving on port (\d+)/);
  });
});
