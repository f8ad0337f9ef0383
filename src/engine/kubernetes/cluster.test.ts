import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
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
    expect(await openCluster(machine({ one }))).toMatchObject({
      context: "dev",
      server: "https://one",
      namespace: "of-dev",
      nodeLocal: false,
    });
  });

  it("counts several files as one, of which the first wins", async () => {
    const two = kubeconfig("other", "https://two", "dev", "other");
    expect(await openCluster(machine({ one, two }))).toMatchObject({ context: "dev", server: "https://one" });
    expect(await openCluster(machine({ one, two }, { SLIPWAY_KUBERNETES_CONTEXT: "other" }))).toMatchObject({
      context: "other",
      namespace: "of-other",
    });
  });

  it("heeds the user's configuration and, before that, variables", async () => {
    const files = { one, "config.yaml": "kubernetes: {contexts: {dev: {nodeLocal: true, namespace: mine}}}" };
    expect(await openCluster(machine(files))).toMatchObject({ namespace: "mine", nodeLocal: true });
    const more = { SLIPWAY_KUBERNETES_NAMESPACE: "theirs" };
    expect(await openCluster(machine(files, more))).toMatchObject({ namespace: "theirs", nodeLocal: true });
    expect(await openCluster(machine(files, { SLIPWAY_KUBERNETES_CONTEXT: "prod" }))).toMatchObject({
      namespace: "of-prod",
      nodeLocal: false,
    });
  });

  it.each<[Record<string, string>, Record<string, string>, RegExp]>([
    [{}, {}, /^KUBECONFIG=\S+ names no file that exists\.\nGet one/],
    [{}, { KUBECONFIG: "" }, /^There is no kubeconfig\.\nGet one/],
    [{ one }, { SLIPWAY_KUBERNETES_CONTEXT: "pord" }, /^The kubeconfig has no context "pord"\.\nWrite prod\.$/],
    [
      { one: kubeconfig("", "https://one", "dev") },
      {},
      /^The kubeconfig has no current context\.\nSet SLIPWAY_KUBERNETES_CONTEXT to one of dev\.$/,
    ],
    [
      { one: kubeconfig("dev", "http://one", "dev") },
      {},
      /^Cluster c of the kubeconfig has the address http:\/\/one, .* unencrypted\.\nWrite its https:\/\/ address; .*kubectl proxy.*insecure-skip-tls-verify: true/,
    ],
    [{ one: "[" }, {}, /^Kubeconfig \S+one cannot be used: /],
    [
      { one, "config.yaml": "kubernetes: {contexts: {dev: {nodelocal: true}}}" },
      {},
      /1:31: kubernetes\.contexts\.dev\.nodelocal is not known\.\nIt is written nodeLocal\.$/,
    ],
    [
      { one, "config.yaml": "kubernetes: {context: dev}" },
      {},
      /1:14: kubernetes\.context is not known\.\nKnown here: contexts\.$/,
    ],
    [
      { one, "config.yaml": "kubernetes: {contexts: {dev: {nodeLocal: 1}}}" },
      {},
      /kubernetes\.contexts\.dev\.nodeLocal is neither true nor false/,
    ],
  ])("refuses %j with %j", async (files, env, problem) => {
    await expect(openCluster(machine(files, env))).rejects.toThrow(problem);
  });
});

describe("a registry on the loopback interface", () => {
  it("is refused unless nodes share this machine's network", () => {
    const far = { nodeLocal: false, context: "dev" };
    for (const registry of ["localhost:5000", "127.0.0.1:5000", "[::1]:5000"]) {
      const image = `${registry}/a@sha256:${"0".repeat(64)}`;
      expect(() => checkReach(image, far), registry).toThrow(
        /^Cluster dev cannot pull .*\nSet SLIPWAY_REGISTRY .*nodeLocal: true/,
      );
      expect(() => checkReach(image, { ...far, nodeLocal: true }), registry).not.toThrow();
    }
    expect(() => checkReach("r.example.com/a:1", far)).not.toThrow();
  });
});
