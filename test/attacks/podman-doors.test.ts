import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { outcomeOf, start } from "../../src/cli/testdata/slipway.ts";
import { temporaryFolder } from "../../src/core/testdata/folder.ts";
import { helperOfTest } from "../../src/functions/testdata/helper.ts";
import { shellImage } from "../cluster/testdata/image.ts";
import { PodmanStorage } from "../services/podman/storage.ts";
import { type GuardedRegistry, GuardedUser, guardedRegistries, undoing } from "./testdata/guarded.ts";

/** A user with a podman of the test's own, and a service `web` whose image has the tag `v1`. */
async function setUp(registry: GuardedRegistry) {
  const storage = new PodmanStorage();
  const home = temporaryFolder();
  const env = { PATH: process.env["PATH"] ?? "", HOME: home, XDG_STATE_HOME: join(home, "state"), ...storage.env };
  const user = await GuardedUser.make(registry, { ...env, SLIPWAY_ENGINE: "container" });
  const digest = await user.push(shellImage());
  /** What the containers run, and since when. */
  const running = () => storage.podman("ps", "--no-trunc", "--format={{.Image}} {{.StartedAt}}");
  const images = async () => (await storage.podman("images", "--format={{.Repository}}@{{.Digest}}")).split("\n");
  const apply = (...more: readonly string[]) => user.slipway("service", "apply", ...more, "web.yaml");
  /** What the service is from now on. */
  const write = (image: string, script = "httpd -f -p 8080 -h /dev/shm & trap exit TERM; wait", more = {}) =>
    user.write("web.yaml", { name: "web", image, port: 8080, command: ["sh", "-c", script], ...more });
  write(user.tagged);
  return { user, digest, running, images, apply, write, storage };
}

const colleagues = () => shellImage({ Labels: { of: "a colleague" } });

describe.each(Object.keys(guardedRegistries) as GuardedRegistry[])("on podman, with an image in %s,", (registry) => {
  it("`service apply` runs what the rule allows, by the digest that it verified", { timeout: 240_000 }, async () => {
    const { user, digest, running, images, apply } = await setUp(registry);
    const nothingRuns = async () => {
      expect(await running()).toBe("");
      expect(await images()).toEqual([""]);
    };
    expect(await user.knock(digest, apply, nothingRuns)).toMatchObject({ status: 0 });
    const before = await running();
    expect(before).toContain(user.pinned(digest));
    const moved = await user.push(colleagues());
    const again = await apply();
    expect(again).toMatchObject({ status: 1, error: expect.stringContaining(moved) });
    expect(await running()).toBe(before);
    expect(await images()).toHaveLength(1);
  });

  it("`service restart` starts again only what the rule allows", { timeout: 240_000 }, async () => {
    const { user, digest, running, apply } = await setUp(registry);
    expect(await apply()).toMatchObject({ status: 0 });
    const before = await running();
    expect(before).toContain(user.pinned(digest));
    await user.push(colleagues());
    const restart = () => user.slipway("service", "restart", "web");
    expect(await user.knock(digest, restart, async () => expect(await running()).toBe(before))).toMatchObject({
      status: 0,
    });
    const after = await running();
    expect(after).toContain(user.pinned(digest));
    expect(after).not.toBe(before);
  });

  it("`service rollback` goes back only to what the rule allows", { timeout: 240_000 }, async () => {
    const { user, digest, running, apply } = await setUp(registry);
    expect(await apply()).toMatchObject({ status: 0 });
    const next = await user.push(colleagues());
    expect(await apply()).toMatchObject({ status: 0 });
    const before = await running();
    expect(before).toContain(user.pinned(next));
    const rollBack = () => user.slipway("service", "rollback", "web");
    expect(await user.knock(digest, rollBack, async () => expect(await running()).toBe(before))).toMatchObject({
      status: 0,
    });
    expect(await running()).toContain(user.pinned(digest));
  });

  it("a failed `service apply --rollback` brings back only what the rule allows", { timeout: 240_000 }, async () => {
    const { user, digest, running, apply, write, storage } = await setUp(registry);
    const next = await user.push(colleagues(), "v2");
    await user.sign(next, "right");
    await user.attest(next, "right");
    const undo = async () => {
      user.configure(false);
      write(user.tagged);
      expect(await apply()).toMatchObject({ status: 0 });
      expect(await running()).toContain(user.pinned(digest));
      user.configure(true);
      write(user.pinned(next), "exit 3");
      return undoing(await apply("--rollback", "--time-limit=30"));
    };
    const nothingRuns = async () => {
      expect(await running()).toBe("");
      expect(await storage.podman("ps", "--all", "--format={{.Image}}")).toContain(user.pinned(digest));
    };
    const last = await user.knock(digest, undo, nothingRuns);
    expect(last.error).toContain("The previous version is running again");
    expect(await running()).toContain(user.pinned(digest));
  });

  it("a program runs in its image only if the rule allows it", { timeout: 240_000 }, async () => {
    const { user, digest, images } = await setUp(registry);
    const program = { target: "//pkg:main", image: user.pinned(digest), options: ["--network=none"], env: {} };
    const words = ["run", JSON.stringify(program), "sh", "-c", "echo ran"];
    const door = () => outcomeOf(start([helperOfTest(), ...words], { env: user.env }));
    const last = await user.knock(digest, door, async () => expect(await images()).toEqual([""]));
    expect(last).toMatchObject({ out: "ran\n", status: 0 });
  });

  it("`job run` runs what the rule allows, by the digest that it verified", { timeout: 240_000 }, async () => {
    const { user, digest, images } = await setUp(registry);
    const [repository = "", tag] = user.tagged.split(/:(?=v1$)/);
    user.write("job.json", { interpreter: { ContainerAtTag: { repository, tag } }, command: ["sh", "-c", "echo ran"] });
    const run = () => user.slipway("job", "run", "job.json");
    const last = await user.knock(digest, run, async () => expect(await images()).toEqual([""]));
    expect(last).toMatchObject({ out: "ran\n", status: 0 });
    user.pushMeanwhile(colleagues());
    expect((await run()).out).toMatch(/^(ran\n)?$/);
    await user.push(colleagues());
    expect(await run()).toMatchObject({ out: "", status: 1 });
    expect(await images()).toEqual([user.pinned(digest).replace(/:v1$/, "")]);
  });
});
