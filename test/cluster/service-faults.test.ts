import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { applyFile } from "../../src/services/kubernetes/apply-file.ts";
import { rollOutFile } from "../../src/services/kubernetes/roll-out.ts";
import { type ApiProxy, apiProxy, type Treatment } from "./testdata/api-proxy.ts";
import { TestNamespace } from "./testdata/namespace.ts";

const digest = `sha256:${"0".repeat(64)}`;
// No node takes its pods: none has to be made and ended.
const scaled = `image: registry.example.com/team/web@${digest}
containerRegistry: team
port: 80
env: [{name: A, value: "1"}]
resources: {replicas: 2, instanceType: nowhere, autoscaling: {maxReplicas: 5}}
`;
/** Something of each kind changes: objects come, change, and go. */
const stopped = `image: registry.example.com/team/web@${digest.replace("00", "11")}
port: 81
enabled: false
env: [{name: A, value: "2"}]
resources: {instanceType: nowhere}
`;

/** A user of a cluster with the file of one service. */
async function userOf() {
  const namespace = await TestNamespace.make();
  const proxy = await apiProxy();
  const config = join(namespace.home, "config/slipway");
  mkdirSync(config, { recursive: true });
  const nowhere = { cpu: 0.01, memory: "1MiB", nodeSelector: { nowhere: "yes" } };
  const { kubernetes } = JSON.parse(readFileSync(join(config, "config.yaml"), "utf8"));
  writeFileSync(join(config, "config.yaml"), JSON.stringify({ kubernetes, instanceTypes: { nowhere } }));
  const source = { kind: "stored", username: "robot", password: "geheim" };
  const team = { name: "team", service: "docker", url: "registry.example.com/team", source };
  const credentials = JSON.stringify({ version: 1, credentials: [team] });
  writeFileSync(join(config, "credentials.json"), credentials, { mode: 0o600 });
  const path = join(namespace.home, "web.yaml");
  const env = namespace.through(proxy);
  const apply = (text: string, isTrial = false) => {
    writeFileSync(path, text);
    return applyFile({ path, name: "web.yaml" }, env, isTrial);
  };
  /** Until its pods are gone, and what only they had. */
  const settle = async () => {
    const options = { timeLimit: 60, isRolledBack: false, notice: () => {}, onChanges: () => {} };
    await rollOutFile({ path, name: "web.yaml" }, env, options);
  };
  const kinds = "configmaps,secrets,services,deployments,horizontalpodautoscalers";
  const objects = async () => {
    const { items } = await namespace.ask("get", kinds, "--selector=slipway/service=web");
    return (items as { kind: string; metadata: { name: string } }[])
      .map(({ kind, metadata }) => `${kind} ${metadata.name.replace(/-env-[0-9a-f]{10}$/, "-env")}`)
      .sort();
  };
  const clear = async () => {
    await namespace.kubectl("delete", kinds, "--selector=slipway/service=web", "--wait");
  };
  return { proxy, apply, settle, objects, clear };
}

const afterScaled = [
  "ConfigMap web-env",
  "Deployment web",
  "HorizontalPodAutoscaler web",
  "Secret web-pull",
  "Service web",
];
/** The variables of the revision before stay, for a rollback. */
const afterStopped = ["ConfigMap web-env", "ConfigMap web-env", "Deployment web", "Service web"];

/** Does one thing to the request of that number, from now on, and perhaps another to all after it. */
function failAt(proxy: ApiProxy, at: number, what: Treatment, then: Treatment): () => number {
  const begin = proxy.seen.length;
  proxy.treat = (_, index) => (index - begin < at ? "pass" : index - begin === at ? what : then);
  return () => proxy.seen.length - begin;
}

type User = Awaited<ReturnType<typeof userOf>>;

/** What is applied, to what, and what is there afterwards. */
const cases = [
  {
    what: "a new service",
    prepare: ({ clear }: User) => clear(),
    text: scaled,
    after: afterScaled,
    settle: async () => {},
  },
  {
    what: "a change of everything",
    prepare: ({ apply }: User) => apply(scaled),
    text: stopped,
    after: afterStopped,
    settle: ({ settle }: User) => settle(),
  },
];
const outcomes = [
  ["comes through where any one call fails", "pass"],
  ["ends where it would have when it is done again after it broke off at any call", "refuse"],
] as const;
const trials = outcomes.flatMap(([what, then]) =>
  (["refuse", "lose-answer"] as const).map((fault) => [what, fault, then] as const),
);

describe.each(cases)("applying $what", { timeout: 900_000 }, ({ prepare, text, after, settle }) => {
  it.each(trials)("%s (%s)", async (_, fault, then) => {
    const user = await userOf();
    const { proxy, apply, objects } = user;
    let calls = 0;
    for (let at = 0, isHit = true; isHit; at += 1) {
      proxy.treat = () => "pass";
      await prepare(user);
      const asked = failAt(proxy, at, fault, then);
      const error = await apply(text).then(
        () => "",
        ({ message }: Error) => message,
      );
      isHit = asked() > at;
      if (then === "refuse") {
        expect(error, `call ${at}`).toMatch(isHit ? /does not answer/ : /^$/);
        proxy.treat = () => "pass";
        await apply(text);
      } else expect(error, `call ${at}`).toBe("");
      await settle(user);
      expect(await apply(text, true), `call ${at}`).toEqual([]);
      expect(await objects(), `call ${at}`).toEqual(after);
      if (isHit) calls += 1;
    }
    console.log(`${fault}, then ${then}: each of ${calls} calls`);
    expect(calls).toBeGreaterThan(10);
  });
});
