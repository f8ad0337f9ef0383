import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { installedClient, makeImage } from "../../containers/testdata/image.ts";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { applyFile, deleteServices, restartService, rollBackService, serviceHistory } from "./apply-file.ts";
import { Containers } from "./containers.ts";

const client = installedClient();

const server = 'require("node:http").createServer((_, response) => response.end(process.env.NAME)).listen(8080);';

it("goes back to what an earlier apply made, and restarts it", { timeout: 240_000 }, async () => {
  const made = makeImage(client);
  onTestFinished(made.remove);
  const name = `t-${randomBytes(4).toString("hex")}`;
  const containers = new Containers(client, process.env);
  onTestFinished(async () => {
    for (const each of await containers.list(name)) await containers.remove(each.name);
  });
  const home = folderOfTest();
  const env = { ...process.env, XDG_STATE_HOME: home, XDG_CONFIG_HOME: home };
  const path = join(home, "web.yaml");
  const nobody = { onChange: () => {}, notice: () => {}, timeLimit: 60 };
  const apply = async (value: string) => {
    const command = ["/bin/node", "-e", `${server} process.on("SIGTERM", () => process.exit());`];
    writeFileSync(
      path,
      JSON.stringify({ name, image: made.image, port: 8080, command, env: [{ name: "NAME", value }] }),
    );
    await applyFile({ path, name: "web.yaml" }, env, { ...nobody, isRolledBack: false });
  };
  const answer = async () => {
    const [found] = await containers.list(name);
    return (await fetch(`http://127.0.0.1:${found?.hostPorts.get(8080)}/`)).text();
  };
  await apply("first");
  await apply("second");
  await apply("second");
  expect(await answer()).toBe("second");
  const told = async () =>
    (await serviceHistory(env, name)).map(({ revision, isCurrent }) => `${revision}${isCurrent ? " now" : ""}`);
  expect(await told()).toEqual(["1", "2 now"]);

  expect(await rollBackService(env, name, undefined, nobody)).toBe(1);
  expect(await answer()).toBe("first");
  expect(await told()).toEqual(["1", "2", "3 now"]);
  await expect(rollBackService(env, name, 9, nobody)).rejects.toThrow(userErrorWith("revision-not-found", name));

  const [before] = await containers.list(name);
  await restartService(env, name, nobody);
  const [after] = await containers.list(name);
  expect(after?.name).toBe(before?.name);
  expect(after?.startedAt).not.toBe(before?.startedAt);
  expect(await answer()).toBe("first");

  await deleteServices(
    [{ name, isDisabled: false }],
    env,
    () => {},
    () => {},
  );
  await expect(serviceHistory(env, name)).rejects.toThrow(userErrorWith("service-not-found", name));
});
