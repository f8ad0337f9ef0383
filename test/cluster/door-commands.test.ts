import { describe, expect, it } from "vitest";
import { type GuardedRegistry, GuardedUser, guardedRegistries, undoing } from "../attacks/testdata/guarded.ts";
import { shellImage } from "./testdata/image.ts";
import { until } from "./testdata/kubectl.ts";
import { TestNamespace } from "./testdata/namespace.ts";

const limit = { timeout: 400_000 };
const serving = "httpd -f -p 8080 -h /dev/shm & trap exit TERM; wait";

/** A user with a namespace, and a service `web` whose image has the tag `v1`. */
async function setUp(registry: GuardedRegistry) {
  const namespace = await TestNamespace.make();
  // The nodes of these clusters share the network of this machine.
  const settings = { kubernetes: { contexts: { test: { nodeLocal: true } } } };
  const user = await GuardedUser.make(registry, namespace.env, {
    ...settings,
    instanceTypes: { tiny: { cpu: 0.01, memory: "24MiB" } },
  });
  const digest = await user.push(shellImage());
  const apply = (...more: readonly string[]) => user.slipway("service", "apply", ...more, "web.yaml");
  /** What the service is from now on. */
  const write = (image: string, script = serving) => {
    const command = ["sh", "-c", script];
    user.write("web.yaml", { name: "web", image, port: 8080, command, resources: { instanceType: "tiny" } });
  };
  write(user.tagged);
  /** The images of what should run, and since which change. */
  const wanted = async () => {
    const { items } = await namespace.ask("get", "deployments,cronjobs,jobs");
    return (items as { spec: { template?: object; suspend?: boolean } }[]).map(({ spec }) =>
      JSON.stringify([spec.template, spec.suspend]),
    );
  };
  const pods = async () =>
    (await namespace.ask("get", "pods"))["items"].flatMap(({ spec }: { spec: { containers: { image: string }[] } }) =>
      spec.containers.map(({ image }) => image),
    );
  return { namespace, user, digest, apply, write, wanted, pods };
}

const colleagues = () => shellImage({ Labels: { of: "a colleague" } });

describe.each(Object.keys(guardedRegistries) as GuardedRegistry[])("in a cluster, with an image in %s,", (registry) => {
  it("`service apply` starts what the rule allows, by the digest that it verified", limit, async () => {
    const { user, digest, apply, wanted, pods } = await setUp(registry);
    const nothingRuns = async () => expect([await wanted(), await pods()]).toEqual([[], []]);
    expect(await user.knock(digest, () => apply("--wait"), nothingRuns)).toMatchObject({ status: 0 });
    expect(await pods()).toEqual([user.pinned(digest)]);
    const before = await wanted();
    const moved = await user.push(colleagues());
    expect(await apply()).toMatchObject({ status: 1, error: expect.stringContaining(moved) });
    expect(await wanted()).toEqual(before);
    expect(await pods()).toEqual([user.pinned(digest)]);
  });

  it("`service restart` and `rollback` start only what the rule allows", limit, async () => {
    const { user, digest, apply, wanted } = await setUp(registry);
    expect(await apply()).toMatchObject({ status: 0 });
    const next = await user.push(colleagues());
    expect(await apply()).toMatchObject({ status: 0 });
    const before = await wanted();
    expect(before.join()).toContain(next);
    const unchanged = async () => expect(await wanted()).toEqual(before);
    const restart = () => user.slipway("service", "restart", "web");
    expect(await user.knock(next, restart, unchanged)).toMatchObject({ status: 0 });
    const restarted = await wanted();
    expect(restarted).not.toEqual(before);
    const rollBack = () => user.slipway("service", "rollback", "web");
    const stays = async () => expect(await wanted()).toEqual(restarted);
    expect(await user.knock(digest, () => user.slipway("service", "rollback", "web", "--to=1"), stays)).toMatchObject({
      status: 0,
    });
    expect((await wanted()).join()).toContain(digest);
    expect(await rollBack()).toMatchObject({ status: 0 });
  });

  it("a failed `service apply --rollback` brings back only what the rule allows", limit, async () => {
    const { user, digest, apply, write, wanted } = await setUp(registry);
    const next = await user.push(colleagues(), "v2");
    await user.sign(next, "right");
    await user.attest(next, "right");
    const undo = async () => {
      user.configure(false);
      write(user.pinned(digest));
      expect(await apply("--wait")).toMatchObject({ status: 0 });
      user.configure(true);
      write(user.pinned(next), "exit 3");
      return undoing(await apply("--rollback", "--time-limit=6"));
    };
    const isNotBack = async () => expect((await wanted()).join()).not.toContain(digest);
    const last = await user.knock(digest, undo, isNotBack);
    expect(last.error).toContain("The previous version is running again");
    expect((await wanted()).join()).toContain(digest);
  });

  it("`job run` starts what the rule allows, by the digest that it verified", limit, async () => {
    const { namespace, user, digest } = await setUp(registry);
    const [repository = "", tag] = user.tagged.split(/:(?=v1$)/);
    user.write("job.json", { interpreter: { ContainerAtTag: { repository, tag } }, command: ["sh", "-c", "echo ran"] });
    const run = () => user.slipway("job", "run", "job.json");
    const last = await user.knock(digest, run, async () => expect(await namespace.names()).toEqual([]));
    expect(last).toMatchObject({ out: "ran\n", status: 0 });
    await user.push(colleagues());
    expect(await run()).toMatchObject({ out: "", status: 1 });
  });

  it("schedules are made and resumed only with what the rule allows", limit, async () => {
    const { namespace, user, digest, wanted } = await setUp(registry);
    const [repository = "", tag] = user.tagged.split(/:(?=v1$)/);
    const interpreter = { ContainerAtTag: { repository, tag } };
    const schedule = { schedule: "0 3 * * *", time_zone: "Europe/Berlin" };
    user.write("nightly.json", { interpreter, command: ["sh", "-c", "echo ran"], ...schedule });
    const run = () => user.slipway("job", "run", "nightly.json");
    expect(await run()).toMatchObject({ status: 0 });
    expect(await user.slipway("job", "schedule", "pause", "nightly")).toMatchObject({ status: 0 });
    const paused = await wanted();
    const resume = () => user.slipway("job", "schedule", "resume", "nightly");
    const staysPaused = async () => {
      expect(await wanted()).toEqual(paused);
      expect(await run()).toMatchObject({ status: 1, error: expect.stringMatching(/\[signature-\w+\]/) });
      expect(await wanted()).toEqual(paused);
    };
    expect(await user.knock(digest, resume, staysPaused)).toMatchObject({ status: 0 });
    expect(await run()).toMatchObject({ status: 0 });
    await user.push(colleagues());
    expect(await run()).toMatchObject({ status: 1 });
    await namespace.kubectl("create", "job", "now", "--from=cronjob/nightly");
    const text = () => namespace.kubectl("logs", "job/now").catch(() => "");
    expect(await until(text, (shown) => shown !== "")).toBe("ran\n");
    const { items } = await namespace.ask("get", "pods");
    expect(items.map((pod: { spec: { containers: { image: string }[] } }) => pod.spec.containers[0]?.image)).toEqual([
      user.pinned(digest),
    ]);
  });
});
