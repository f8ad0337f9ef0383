import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { keptRevisions } from "../history.ts";
import { serviceOf } from "../testdata/service.ts";
import { factsOf } from "./facts.ts";
import { forgetHistory, noteRevision, readHistory, servicesFolder } from "./history.ts";

function meaningWith(more: object) {
  const service = serviceOf({ image: "a.io/b", port: 80, ...more });
  return { service, facts: factsOf(service, service.image, undefined, []), contents: [] };
}

function machine() {
  const env = { HOME: folderOfTest(), XDG_STATE_HOME: folderOfTest() };
  mkdirSync(servicesFolder(env), { recursive: true, mode: 0o700 });
  return env;
}

it("notes each change once, with who made it and what changed, for this user alone", async () => {
  const env = machine();
  expect(await readHistory(env, "web")).toEqual([]);
  await noteRevision(env, meaningWith({}));
  await noteRevision(env, meaningWith({ command: ["a"] }));
  await noteRevision(env, meaningWith({ command: ["a"], resources: { replicas: 3 } }));
  await noteRevision(env, meaningWith({}), "rollback to revision 1");
  const revisions = await readHistory(env, "web");
  expect(revisions.map(({ revision, cause }) => `${revision} ${cause?.replace(/^.*?: /, "")}`)).toEqual([
    "1 created",
    "2 changed command",
    "3 rollback to revision 1",
  ]);
  expect(revisions[1]?.meaning.service.replicas).toBe(3);
  expect(statSync(join(servicesFolder(env), "web.history.json")).mode & 0o777).toBe(0o600);
  await forgetHistory(env, "web");
  expect(await readHistory(env, "web")).toEqual([]);
});

it("keeps no value of a secret", async () => {
  const env = machine();
  const { service, ...rest } = meaningWith({ env: [{ name: "TOKEN", value: "SECRET:token" }] });
  await noteRevision(env, { ...rest, service: { ...service, secrets: { TOKEN: { value: "hunter2", version: "1" } } } });
  expect(readFileSync(join(servicesFolder(env), "web.history.json"), "utf8")).toContain("SECRET:token");
  expect(readFileSync(join(servicesFolder(env), "web.history.json"), "utf8")).not.toContain("hunter2");
});

it("keeps the newest revisions alone", async () => {
  const env = machine();
  for (let index = 0; index < keptRevisions + 2; index += 1)
    await noteRevision(env, meaningWith({ command: [`${index}`] }));
  const numbers = (await readHistory(env, "web")).map(({ revision }) => revision);
  expect([numbers.length, numbers.at(0), numbers.at(-1)]).toEqual([keptRevisions, 3, keptRevisions + 2]);
});
