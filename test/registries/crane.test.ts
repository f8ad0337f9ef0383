import { describe } from "vitest";
import { startRegistry, temporaryFolder } from "./testdata/daemon.ts";
import { plainHttp, worksWith } from "./testdata/suite.ts";

describe("crane's registry", () => {
  worksWith(async () => {
    const args = ["registry", "serve", "--disk", temporaryFolder(), "--address", "127.0.0.1:0"];
    return { host: await startRegistry("crane", args, /serving on port (\d+)/), skopeo: () => [plainHttp] };
  });
});
