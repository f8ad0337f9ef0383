import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { userErrorWith } from "../../core/testdata/reported.ts";
import { folderOfTest } from "../../git/testdata/git-repository.ts";
import { clusterOfTest } from "../../kubernetes/testdata/cluster.ts";
import type { Change } from "../change.ts";
import type { ApplyListener } from "./apply.ts";
import { applyFile, deleteServices } from "./apply-file.ts";
import { fieldsOfOthers } from "./others.ts";

interface Secret {
  readonly metadata: { readonly name: string };
  readonly data: Readonly<Record<string, string>>;
}

const digest = `sha256:${"0".repeat(64)}`;
const web = `image: registry.example.com/team/web@${digest}
containerRegistry: team
port: 80
enabled: false
env: [{name: A, value: b}]
`;

/** Files of the test's own beside a cluster, and a credential by the name of team. */
async function machine(files: Readonly<Record<string, string>>) {
  const cluster = await clusterOfTest();
  const folder = folderOfTest();
  const write = (name: string, content: string) => writeFileSync(join(folder, name), content);
  for (const [name, content] of Object.entries(files)) write(name, content);
  const source = { kind: "stored", username: "robot", password: "geheim" };
  const team = { name: "team", service: "docker", url: "registry.example.com/team", source };
  const store = join(cluster.env["XDG_CONFIG_HOME"] ?? "", "slipway/credentials.json");
  writeFileSync(store, JSON.stringify({ version: 1, credentials: [team] }), { mode: 0o600 });
  const apply = (isTrial: boolean, listener?: ApplyListener) =>
    applyFile({ path: folder, name: "services" }, cluster.env, isTrial, listener);
  return { cluster, write, apply };
}

const words = (changes: readonly Change[]) =>
  changes.map(({ action, kind, name }) => `${action} ${kind} ${name.replace(/-env-[0-9a-f]{10}$/, "-env")}`);

it("plans to take back its own fields from others, and names the fields that stay theirs", async () => {
  const { cluster, apply } = await machine({ "web.yaml": web });
  await apply(false);
  await cluster.admin.api.ask("PATCH", `/apis/apps/v1/namespaces/${cluster.namespace}/deployments/web`, {
    query: { fieldManager: "kubectl-edit" },
    body: {
      metadata: { annotations: { by: "me" } },
      spec: { template: { spec: { terminationGracePeriodSeconds: 77 } } },
    },
    contentType: "application/merge-patch+json",
  });
  const others: unknown[] = [];
  const changes = await apply(true, { onApplied: (object) => others.push(...fieldsOfOthers(object)) });
  expect(changes.map(({ fields }) => fields)).toEqual([["spec.template.spec.terminationGracePeriodSeconds"]]);
  expect(others).toEqual([{ manager: "kubectl-edit", fields: ["metadata.annotations.by"] }]);
});

it("plans, applies and deletes services, with the credential that they name and no other", async () => {
  const { cluster, write, apply } = await machine({ "web.yaml": web });
  const created = ["create Secret web-pull", "create ConfigMap web-env", "create Service web", "create Deployment web"];
  expect(words(await apply(true))).toEqual(created);
  expect(await cluster.list("secrets")).toEqual([]);

  expect(words(await apply(false))).toEqual(created);
  const [secret] = await cluster.list<Secret>("secrets");
  expect(JSON.parse(Buffer.from(secret?.data[".dockerconfigjson"] ?? "", "base64").toString())).toEqual({
    auths: {
      "registry.example.com": {
        username: "robot",
        password: "geheim",
        auth: Buffer.from("robot:geheim").toString("base64"),
      },
    },
  });
  expect(await apply(false)).toEqual([]);
  expect(await apply(true)).toEqual([]);

  write("web.yaml", web.replace("containerRegistry: team\n", "").replace("00", "11"));
  expect(await apply(false)).toMatchObject([
    {
      action: "change",
      kind: "Deployment",
      name: "web",
      fields: ["spec.template.spec.containers[0].image", "spec.template.spec.imagePullSecrets"],
    },
    { action: "delete", kind: "Secret", name: "web-pull" },
  ]);
  await expect(deleteServices(["web", "wob"], cluster.env)).rejects.toThrow(userErrorWith("service-not-found", "wob"));
  const deleted: Change[] = [];
  await deleteServices(["web"], cluster.env, (change) => deleted.push(change));
  expect(words(deleted).sort()).toEqual(["delete ConfigMap web-env", "delete Deployment web", "delete Service web"]);
});

it("changes nothing in the cluster where one of several services is wrong", async () => {
  const other = `image: registry.example.com/other@${digest}\nport: 80\ncontainerRegistry: tem\n`;
  const { cluster, write, apply } = await machine({ "a.yaml": web, "b.yaml": other });
  await expect(apply(false)).rejects.toThrow(/"tem".*\bteam\b/s);
  write("b.yaml", other.replace("tem", "team"));
  await expect(apply(false)).rejects.toThrow(/is not for the image registry\.example\.com\/other@sha256:0+\./);
  write("b.yaml", "image: a\nport: http\n");
  await expect(apply(false)).rejects.toThrow(userErrorWith("field-invalid", "services/b.yaml:2:7"));
  expect(await cluster.list("secrets")).toEqual([]);
});
