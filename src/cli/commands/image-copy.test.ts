import { expect, it, vi } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { RegistryClient } from "../../registry/client/client.ts";
import { copy } from "./image-copy.ts";

it("closes the source's client if the destination cannot be opened", async () => {
  const close = vi.spyOn(RegistryClient.prototype, "close");
  const copying = copy.run({
    source: "localhost:1/app:v1",
    destination: "localhost:1/App:v1",
    platform: undefined,
    referrers: false,
    json: false,
  });
  await expect(copying).rejects.toEqual(userErrorWith("reference-invalid", /App/));
  expect(close).toHaveBeenCalledTimes(1);
});
