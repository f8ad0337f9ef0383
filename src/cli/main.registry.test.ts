import { once } from "node:events";
import type { Readable } from "node:stream";
import { describe, expect, it } from "vitest";
import type { ErrorCode } from "../core/error-codes.ts";
import { printed } from "../core/testdata/reported.ts";
import { askOver, pushImage, serverOfTest, stateOfTest } from "../registry-server/testdata/fixture.ts";
import { commandLine, run, start } from "./testdata/slipway.ts";

const slipway = (env: Record<string, string>, ...args: string[]) => run(["registry", ...args], { env });

describe("slipway registry", () => {
  it("ls shows what there is, whether the server runs or not", async () => {
    const { env, paths } = await stateOfTest();
    const error = "The embedded registry has no images.\n";
    expect(await slipway(env, "ls")).toEqual({ out: "", error, status: 0 });
    const server = await serverOfTest({ paths });
    const digest = await pushImage(server.ask, "team/app", "v1", ["one"]);
    const running = await slipway(env, "ls");
    expect(running.out).toMatch(new RegExp(`^team/app:v1 +${digest} +\\d+ B\n$`));
    await server.stop();
    expect(await slipway(env, "ls")).toEqual(running);
    expect(JSON.parse((await slipway(env, "ls", "--json")).out)).toMatchObject([
      { repository: "team/app", tag: "v1", digest },
    ]);
  });

  it("status tells whether it runs, where, and what it has, and starts nothing", async () => {
    const { env, paths } = await stateOfTest();
    expect(await slipway(env, "status")).toEqual({
      out: expect.stringMatching(/is not running.*\n0 images in .*\n$/),
      error: "",
      status: 0,
    });
    const server = await serverOfTest({ paths });
    await pushImage(server.ask, "team/app", "v1", ["one"]);
    const found = JSON.parse((await slipway(env, "status", "--json")).out);
    expect(found).toMatchObject({ running: true, host: expect.stringMatching(/^localhost:\d+$/), images: 1 });
    expect((await slipway(env, "status")).out).toContain(`${found.host}, process ${found.pid}`);
    await server.stop();
    expect(JSON.parse((await slipway(env, "status", "--json")).out)).toMatchObject({ running: false, images: 1 });
  });

  it("gc tells what it removed", async () => {
    const { env } = await stateOfTest();
    expect((await slipway(env, "gc")).out).toBe("Removed 0 uploads, 0 manifests, 0 blobs: 0 B.\n");
    const none = { uploads: 0, manifests: 0, blobs: 0, bytes: 0, skipped: [] };
    expect(JSON.parse((await slipway(env, "gc", "--json")).out)).toEqual(none);
  });

  it("serve answers until it is stopped; token prints nothing but a token that opens it", async () => {
    const { env } = await stateOfTest();
    const server = start([...commandLine, "registry", "serve"], { env });
    const exit = once(server, "exit");
    const [line] = (await once(server.stdout as Readable, "data")) as [Buffer];
    const host = line.toString().trim();
    expect(await slipway(env, "serve")).toMatchObject({ status: 2, error: printed("embedded-registry", host) });

    const { out, error } = await slipway(env, "token", "team/app", "--push");
    expect(error).toContain(`For ${host}/team/app`);
    const ask = askOver({ port: Number(host.split(":")[1]) }, { host, authorization: `Bearer ${out.trim()}` });
    await pushImage(ask, "team/app", "v1", ["one"]);

    expect(await slipway(env, "stop")).toMatchObject({ status: 0, error: "The embedded registry stops.\n" });
    expect(await exit).toEqual([0, null]);
    expect((await slipway(env, "stop")).error).toBe("The embedded registry is not running.\n");
  });

  it.each<[string[], ErrorCode, string]>([
    [["nope"], "command-line-invalid", "nope"],
    [[], "command-line-invalid", "slipway registry"],
    [["token"], "command-line-invalid", "<repository>"],
    [["token", "A"], "embedded-registry", "embedded registry"],
    [["token", "a", "--minutes", "x"], "command-line-invalid", "--minutes"],
  ])("%j is the user's mistake", async (args, code, culprit) => {
    const { env } = await stateOfTest();
    expect(await slipway(env, ...args)).toEqual({ out: "", error: printed(code, culprit), status: 2 });
  });
});
