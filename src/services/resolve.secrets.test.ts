import { expect, it } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { folderOfTest } from "../git/testdata/git-repository.ts";
import { LocalSecrets } from "../secrets/local.ts";
import { resolveSecrets } from "./resolve.ts";
import { documentOf } from "./testdata/service.ts";

const text = `image: a
port: 80
env:
  - {name: LEVEL, value: debug}
  - {name: PASSWORD, value: "SECRET:db-password"}
`;

it("finds the secrets of variables, and leaves the spec as it is", async () => {
  const store = new LocalSecrets({ XDG_STATE_HOME: folderOfTest() });
  await store.set("db-password", Buffer.from("hunter2"));
  const { service } = documentOf(text);
  const version = expect.stringMatching(/^\d{4}-/);
  const secrets = { PASSWORD: { value: "hunter2", version } };
  expect(await resolveSecrets(service, [store])).toEqual({ ...service, secrets });
});

it("names the line of a reference to a secret that is not there", async () => {
  const store = new LocalSecrets({ XDG_STATE_HOME: folderOfTest() });
  const missing = userErrorWith("secret-not-found", "web.yaml:5:29");
  const { service, error } = documentOf(text);
  await expect(resolveSecrets(service, [store], error)).rejects.toThrow(missing);
});

it("refuses a reference that names no secret without showing it", () => {
  const wrong = text.replace("db-password", "hunter2!");
  expect(() => documentOf(wrong)).toThrow(userErrorWith("field-invalid", "web.yaml:5:29"));
  expect(() => documentOf(wrong)).not.toThrow("hunter2");
});
