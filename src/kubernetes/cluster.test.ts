import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { userErrorWith } from "../core/testdata/reported.ts";
import { openCluster } from "./cluster.ts";
import { checkReach } from "./pull-secret.ts";

/** An environment with these files; `KUBECONFIG` names all but the configuration. */
function machine(files: Record<string, string>, more: Record<string, string> = {}) {
  const home = mkdtempSync(join(tmpdir(), "cluster-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const kubeconfigs = Object.keys(files).filter((name) => name !== "config.yaml");
  return {
    HOME: home,
    KUBECONFIG: [...kubeconfigs, "absent"].map((name) => join(home, name)).join(":"),
    ...("config.yaml" in files ? { SLIPWAY_CONFIG: join(home, "config.yaml") } : { XDG_CONFIG_HOME: home }),
    ...more,
  };
}

const kubeconfig = (current: string, server: string, ...contexts: string[]) =>
  JSON.stringify({
    clusters: [{ name: "c", cluster: { server } }],
    users: [{ name: "u", user: { token: "t" } }],
    contexts: contexts.map((name) => ({ name, context: { cluster: "c", user: "u", namespace: `of-${name}` } })),
    "current-context": current,
  });

const one = kubeconfig("dev", "https://one", "dev", "prod");

describe("openCluster", () => {
  it("takes the current context, and its namespace", async () => {
    const expected = { context: "dev", server: "https://one", namespace: "of-dev", nodeLocal: false };
    expect(await openCluster(machine({ one }))).toMatchObject(expected);
  });

  it("counts several files as one, of which the first wins", async () => {
    const two = kubeconfig("other", "https://two", "dev", "other");
    expect(await openCluster(machine({ one, two }))).toMatchObject({ context: "dev", server: "https://one" });
    const other = await openCluster(machine({ one, two }, { SLIPWAY_KUBERNETES_CONTEXT: "other" }));
    expect(other).toMatchObject({ context: "other", namespace: "of-other" });
  });

  it("heeds the user's configuration and, before that, variables", async () => {
    const files = { one, "config.yaml": "kubernetes: {contexts: {dev: {nodeLocal: true, namespace: mine}}}" };
    expect(await openCluster(machine(files))).toMatchObject({ namespace: "mine", nodeLocal: true });
    const more = { SLIPWAY_KUBERNETES_NAMESPACE: "theirs" };
    expect(await openCluster(machine(files, more))).toMatchObject({ namespace: "theirs", nodeLocal: true });
    const prod = await openCluster(machine(files, { SLIPWAY_KUBERNETES_CONTEXT: "prod" }));
    expect(prod).toMatchObject({ namespace: "of-prod", nodeLocal: false });
  });

  it.each<[Record<string, string>, Record<string, string>, string | RegExp]>([
    [{}, {}, "KUBECONFIG"],
    [{}, { KUBECONFIG: "" }, "~/.kube/config"],
    [{ one }, { SLIPWAY_KUBERNETES_CONTEXT: "pord" }, "pord"],
    [{ one: kubeconfig("", "https://one", "dev") }, {}, "kubeconfig"],
    [{ one: kubeconfig("dev", "http://one", "dev") }, {}, "http://one"],
    [{ one: "[" }, {}, /one$/],
  ])("refuses %j with %j", async (files, env, culprit) => {
    await expect(openCluster(machine(files, env))).rejects.toThrow(userErrorWith("cluster-unreachable", culprit));
  });

  it("proposes the context that was meant, and names those that there are", async () => {
    const env = { SLIPWAY_KUBERNETES_CONTEXT: "pord" };
    await expect(openCluster(machine({ one }, env))).rejects.toThrow("Write prod.");
    const none = kubeconfig("", "https://one", "dev");
    await expect(openCluster(machine({ one: none }))).rejects.toThrow("SLIPWAY_KUBERNETES_CONTEXT to one of dev.");
  });

  it.each([
    "kubernetes: {contexts: {dev: {nodelocal: true}}}",
    "kubernetes: {context: dev}",
    "kubernetes: {contexts: {dev: {nodeLocal: 1}}}",
  ])("refuses the configuration %s", async (text) => {
    await expect(openCluster(machine({ one, "config.yaml": text }))).rejects.toThrow(userErrorWith("field-invalid"));
  });
});

it("a registry on the loopback interface is refused unless nodes share this machine's network", () => {
  const far = { nodeLocal: false, context: "dev" };
  for (const registry of ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"]) {
    const image = `${registry}/a@sha256:${"0".repeat(64)}`;
    expect(() => checkReach(image, far), registry).toThrow(userErrorWith("image-pull-failed", image));
    expect(() => checkReach(image, { ...far, nodeLocal: true }), registry).not.toThrow();
  }
  expect(() => checkReach("r.example.com/a:1", far)).not.toThrow();
});
