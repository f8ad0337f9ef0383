import { join } from "node:path";
import { expect, it } from "vitest";
import { reported } from "../core/testdata/reported.ts";
import { folderOfTest, git, repositoryOfTest } from "../deployment/testdata/git-repository.ts";
import { gitServerOfTest } from "../deployment/testdata/git-server.ts";
import { parseServices } from "./read.ts";
import { resolveRepositories } from "./resolve-repositories.ts";
import type { SecretStore } from "./secrets/secrets.ts";

it("asks with the service's secret, and tells git nothing that is more than a password", async () => {
  const root = folderOfTest();
  git(root, "init", "--quiet", "app.git");
  const commit = repositoryOfTest(join(root, "app.git")).commit({ "a.txt": "one" });
  const server = await gitServerOfTest(root, { password: "hunter2" });
  const url = `${server.url}/app.git/.git`;
  const repositories = [{ url, name: "app", username: "me", password: "SECRET:token" }];
  const text = JSON.stringify({
    name: "web",
    image: "a",
    port: 80,
    repositories: { dataset: "d", mountPath: "/opt/repos", repositories },
  });
  const [document] = parseServices(text, "f", undefined);
  if (!document) throw new Error("no document");
  const env = { PATH: process.env["PATH"], HOME: folderOfTest(), GIT_SSL_CAINFO: server.certificate };
  const resolve = (value: string) => {
    const secrets = { place: "here", has: async () => true, value: async () => Buffer.from(value) };
    return resolveRepositories(document, secrets as unknown as SecretStore, env);
  };
  expect((await resolve("hunter2")).repositories?.repositories).toMatchObject([{ url, commit }]);
  await expect(resolve("hunter2\nquit=1")).rejects.toThrow(reported("credential-invalid", "token"));
});
