import { expect, it } from "vitest";
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
