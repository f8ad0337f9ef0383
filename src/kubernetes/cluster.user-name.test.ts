import { expect, it, vi } from "vitest";
import { userName } from "../core/user-name.ts";
import { openCluster } from "./cluster.ts";
import { apiServer } from "./testdata/api-server.ts";

vi.mock("node:os", async (original) => ({
  ...(await original<typeof import("node:os")>()),
  userInfo: () => {
    throw new Error("uv_os_get_passwd returned ENOENT");
  },
}));

it("names a user without a name by the number", async () => {
  expect(userName()).toBe(String(process.getuid?.()));
  const { owner } = await openCluster(await apiServer(() => {}));
  expect(owner).toBe(userName());
});
