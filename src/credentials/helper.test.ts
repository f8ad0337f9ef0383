import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import { askHelper } from "./helper.ts";
import { Home } from "./testdata/home.ts";

it.each([
  ["hangs", "sleep 5 & wait", /^docker-credential-x did not end within 0.2 s$/],
  ["never stops writing", "cat /dev/zero", /^docker-credential-x wrote more than 1048576 bytes$/],
])("a helper that %s is ended, and named", async (_, script, problem) => {
  const home = new Home();
  home.program("docker-credential-x", script);
  const within = script.startsWith("sleep") ? 200 : 60_000;
  await expect(askHelper("x", "registry.example.com", home.env, within)).rejects.toThrow(problem);
});

it("a helper that waits for its user is named while it does", { timeout: 60_000 }, async () => {
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  onTestFinished(() => said.mockRestore());
  const home = new Home();
  const unlocked = join(home.env["HOME"] ?? "", "unlocked");
  const answer = `{"Username":"u","Secret":"s"}`;
  home.program("docker-credential-x", `while [ ! -e ${unlocked} ]; do sleep 0.1; done; echo '${answer}'`);
  const asked = askHelper("x", "registry.example.com", home.env);
  const words = /slipway: Waiting for docker-credential-x, which may ask you to unlock something \(\d+ s\)\n/g;
  await vi.waitUntil(() => said.mock.calls.join("").match(words)?.length === 2, { timeout: 40_000, interval: 100 });
  writeFileSync(unlocked, "");
  expect(await asked).toEqual({ kind: "password", username: "u", password: "s" });
});
