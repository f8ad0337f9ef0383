import { expect, it } from "vitest";
import { overview } from "./overview.ts";
import { run } from "./testdata/slipway.ts";

it("is what yargs writes", async () => {
  // Two words go by yargs.
  expect(await run(["--help", "--no-color"])).toMatchObject({ out: overview() });
  expect(await run(["--help"])).toMatchObject({ out: overview() });
});
