import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { apiServer, refuse } from "../../kubernetes/testdata/api-server.ts";
import { LocalSecrets } from "../../secrets/local.ts";
import { readForCluster } from "./apply-file.ts";

const spec = `image: a.io/b@sha256:${"0".repeat(64)}
port: 80
env:
  - {name: HERE, value: "SECRET:here"}
  - {name: THEIRS, value: "SECRET:theirs"}
`;

/** A machine with the spec, and a cluster with one Secret. */
async function machine() {
  const theirs = { metadata: { name: "theirs", resourceVersion: "7" }, data: { password: btoa("geheim") } };
  const env = await apiServer(({ url }, response) => {
    if (url.endsWith("/secrets/theirs")) response.end(JSON.stringify(theirs));
    else refuse(response, 404);
  });
  const path = join(env["HOME"] ?? "", "web.yaml");
  writeFileSync(path, spec);
  return { env, read: () => readForCluster({ path, name: "web.yaml" }, env, true) };
}

it("takes variables from Secrets of the cluster, else from this machine, and shows no value elsewhere", async () => {
  const { env, read } = await machine();
  await new LocalSecrets(env).set("here", Buffer.from("hunter2"));
  const { services } = await read();
  const manifests = services.flatMap((service) => service.manifests);
  expect(manifests.map(({ kind }) => kind)).toEqual(["Secret", "Service", "Deployment"]);
  const [copy, ...others] = manifests;
  expect(copy).toMatchObject({ data: { HERE: btoa("hunter2") } });
  const variable = (name: string, secret: unknown, key: string) => ({
    name,
    valueFrom: { secretKeyRef: { name: secret, key } },
  });
  expect(others.at(-1)).toMatchObject({
    spec: {
      template: {
        metadata: { annotations: { "slipway/secrets": '{"THEIRS":"7"}' } },
        spec: {
          containers: [
            { env: [variable("HERE", copy?.metadata.name, "HERE"), variable("THEIRS", "theirs", "password")] },
          ],
        },
      },
    },
  });
  for (const value of ["hunter2", "geheim"]) {
    for (const form of [value, btoa(value)]) expect(JSON.stringify(others)).not.toContain(form);
  }
});

it("names the line of a secret that neither has", async () => {
  const { env, read } = await machine();
  await expect(read()).rejects.toThrow(userErrorWith("secret-not-found", "web.yaml:4:25"));
  const error = await read().catch((error: Error) => error);
  const { place } = new LocalSecrets(env);
  expect((error as Error).message).toContain(
    `names the secret here, which does not exist in namespace default of cluster test, nor in ${place}.`,
  );
});
