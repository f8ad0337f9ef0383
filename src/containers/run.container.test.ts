import { execFileSync } from "node:child_process";
import { afterAll, describe, expect, it, vi } from "vitest";
import { UserError } from "../core/errors.ts";
import { stopAll } from "../core/interrupts.ts";
import type { RunnableImage } from "../oci/runnable-image.ts";
import type { ContainerRunOptions } from "./run.ts";
import type { ContainerRun } from "./run-description.ts";
import { evaluate as evaluateIn } from "./testdata/evaluate.ts";
import { installedClient, makeImage } from "./testdata/image.ts";

// Containers of a busy machine take their time.
vi.setConfig({ testTimeout: 300_000 });

const client = installedClient();
const made = makeImage(client);
afterAll(() => made.remove());

const evaluate = (code: string, run: Partial<ContainerRun> = {}, options: ContainerRunOptions = {}) =>
  evaluateIn(client, code, { image: made.image, ...run }, options);

function containers(): string {
  const args = ["ps", "--all", "--quiet", "--filter", `ancestor=${made.image}`];
  return execFileSync(client.path, args, { encoding: "utf8" });
}

describe(`a container of ${client.name}`, () => {
  it("gets its input, gives its output and status, and is gone", async () => {
    const echo =
      'process.stdin.pipe(process.stdout); process.stdin.on("end", () => { console.error("err"); process.exitCode = 7 })';
    const stdin = "x".repeat(2 * 1024 * 1024);
    expect(await evaluate(echo, { stdin })).toEqual({ status: 7, out: stdin, err: "err\n" });
    expect(containers()).toBe("");
  });

  it("has a read-only root, a writable home and /tmp, one network interface, no capability and no way to gain any", async () => {
    const code = `
      const tried = (path) => { try { fs.writeFileSync(path, ""); return true } catch { return false } };
      const status = fs.readFileSync("/proc/self/status", "utf8");
      console.log(JSON.stringify({
        root: tried("/x"), home: tried(process.env.HOME + "/x"), tmp: tried("/tmp/x"), uid: process.getuid(),
        interfaces: fs.readdirSync("/sys/class/net"), capabilities: /CapBnd:\\s*(\\w+)/.exec(status)[1], locked: /NoNewPrivs:\\s*(\\d)/.exec(status)[1],
      }))`;
    expect(JSON.parse((await evaluate(code)).out)).toEqual({
      ...{ root: false, home: true, tmp: true, uid: 1000 },
      ...{ interfaces: ["lo"], capabilities: "0000000000000000", locked: "1" },
    });
  });

  it("sees declared variables alone, also those that mean something to podman or docker themselves", async () => {
    const env = { PATH: "/declared", XDG_DATA_HOME: "/declared", http_proxy: "p", TEXT: "a\nb" };
    const code = 'console.log(JSON.stringify({ ...process.env, container: "", HOSTNAME: "", TERM: "" }))';
    const options = { env: { ...process.env, HTTPS_PROXY: "http://user:secret@proxy", UNDECLARED: "secret" } };
    const { out } = await evaluate(code, { env }, options);
    expect(JSON.parse(out)).toEqual({ ...env, HOME: "/home/slipway", container: "", HOSTNAME: "", TERM: "" });
  });

  it("passes on what looks like the client's own words", async () => {
    const code =
      'console.error("Error: mine"); console.error("more"); console.error("Error: last"); process.exitCode = 1';
    expect(await evaluate(code)).toMatchObject({ status: 1, err: "Error: mine\nmore\nError: last\n" });
  });

  it("is an error of the client's when the image has no such program", async () => {
    const run = evaluate("", { image: "localhost/slipway-none:latest" as RunnableImage });
    const failure = await run.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UserError);
    expect((failure as Error).message).toContain("localhost/slipway-none:latest failed with status 125: ");
  });

  it("is killed and removed when it does not end by itself", async () => {
    const running = Promise.withResolvers<void>();
    const code = 'process.on("SIGTERM", () => {}); setTimeout(() => {}, 1e8); console.log("up")';
    const ended = evaluate(code, { onStdout: () => running.resolve() }, { grace: 1 });
    await Promise.race([running.promise, ended]);
    await stopAll("SIGTERM");
    expect((await ended).status).toBe(137);
    expect(containers()).toBe("");
  });
});
