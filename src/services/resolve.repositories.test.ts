import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { servedRepository } from "../git/testdata/git-server.ts";
import type { SecretStore } from "../secrets/secrets.ts";
import { resolveRepositories } from "./resolve.ts";
import { documentOf } from "./testdata/service.ts";

it("asks with the service's secret, and tells git nothing that is more than a password", async () => {
  const { repository, server, url } = await servedRepository({ password: "hunter2" });
  const commit = repository.commit({ "a.txt": "one" });
  const repositories = [{ url, name: "app", username: "me", password: "SECRET:token" }];
  const content = { dataset: "d", mountPath: "/opt/repos", repositories };
  const document = documentOf({ image: "a", port: 80, repositories: content });
  const env = { PATH: process.env["PATH"], HOME: folderOfTest(), GIT_SSL_CAINFO: server.certificate };
  const resolve = (value: string) => {
    const secrets = { place: "here", has: async () => true, value: async () => Buffer.from(value) };
    return resolveRepositories(document, secrets as unknown as SecretStore, env);
  };
  expect((await resolve("hunter2")).repositories?.repositories).toMatchObject([{ url, commit }]);
  await expect(resolve("hunter2\nquit=1")).rejects.toThrow(userErrorWith("credential-invalid", "token"));
});
