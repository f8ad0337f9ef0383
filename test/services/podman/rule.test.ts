import { expect, it } from "vitest";
import { PodmanUser } from "./machine.ts";

const image = /^ {2}image: localhost:\d+\/test\/services@sha256:[0-9a-f]{64}$/m;

it("the rule pushes its image, runs the services of its file with it, and stops them", async () => {
  const user = new PodmanUser();
  user.configure();
  const run = (target: string, ...args: string[]) => user.machine.run(`test/services/${target}`, args);
  const created = "create Container greeter-0\ncreate Container greeter-1\n";
  expect(await run("greeter_local", "--wait")).toMatchObject({
    out: created,
    error: expect.stringMatching(/^pushed localhost:\d+\/test\/services@sha256:[0-9a-f]{12}: \d+ blobs sent/m),
    status: 0,
  });
  expect(await user.read("greeter", "/you")).toBe("Hello, you!\n");
  expect((await user.status())[0]).toMatchObject({ state: "ready", replicas: { wanted: 2, ready: 2, old: 0 } });
  expect((await user.slipway(["service", "status"])).out).toMatch(image);
  expect(await run("greeter_local")).toMatchObject({ out: "", status: 0 });
  expect(await run("greeter", "--wait")).toMatchObject({ out: "", status: 0 });
  expect(await run("greeter_plan", "--exit-code")).toMatchObject({ out: "", status: 0 });

  const { out, status } = await run("greeter_render");
  expect(status).toBe(0);
  expect(out).toMatch(/^ +image: localhost:\d+\/test\/services@sha256:[0-9a-f]{64}$/m);
  expect(out).toMatch(/^kind: Deployment$/m);

  expect(await run("greeter_delete")).toMatchObject({
    out: "delete Container greeter-0\ndelete Container greeter-1\n",
    status: 0,
  });
  expect(await run("greeter_plan")).toMatchObject({ out: created, status: 0 });
  expect(await user.podman("ps", "--all", "--quiet")).toBe("");
}, 300_000);

it("what checks files when they are built says where a mistake is, and what an image is given for", async () => {
  const user = new PodmanUser();
  user.machine.write({
    "wrong.yaml": "image: a.io/b\nprt: 80\n",
    "own.yaml": "image: a.io/b\nport: 80\nresources: {instanceType: of-this-company}\n",
    "none.yaml": "port: 80\n",
  });
  const check = (file: string, ...more: string[]) =>
    user.machine.run("src/check", ["service", file, `pkg/${file}`, "checked", ...more]);
  expect(await check("wrong.yaml")).toEqual({
    out: "",
    error: expect.stringMatching(/^pkg\/wrong\.yaml:2:1: .*did you mean port\?[\s\S]*\[field-invalid\]\n$/),
    status: 2,
  });
  expect(await check("own.yaml")).toEqual({ out: "", error: "", status: 0 });
  expect(await check("none.yaml", "--has-image")).toEqual({ out: "", error: "", status: 0 });
  expect(await check("none.yaml")).toMatchObject({
    error: expect.stringMatching(/^pkg\/none\.yaml:1:1: image [\s\S]*\[field-invalid\]\n$/),
    status: 2,
  });
  expect(await check("own.yaml", "--has-image")).toMatchObject({
    error: expect.stringMatching(/^pkg\/own\.yaml:1:8: image [\s\S]*\[field-invalid\]\n$/),
    status: 2,
  });
});
