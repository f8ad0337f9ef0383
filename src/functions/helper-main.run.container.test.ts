import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { installedClient, makeImage } from "../containers/testdata/image.ts";
import { temporaryFolder } from "../core/testdata/folder.ts";
import { printed } from "../core/testdata/reported.ts";
import { helperOfTest } from "./testdata/helper.ts";

const client = installedClient();
const helper = helperOfTest();
let made: ReturnType<typeof makeImage>;
beforeAll(() => {
  made = makeImage(client);
});
afterAll(() => made.remove());

/** The words that run a program of Node in the image. */
function words(
  script: string,
  argv: readonly string[] = [],
  options: readonly string[] = ["--network=none"],
): string[] {
  const program = {
    target: "//pkg:main",
    image: made.image,
    options,
    env: { SLIPWAY_CONTAINER_IMAGE_URIS: "default##x" },
  };
  return ["run", JSON.stringify(program), "-e", script, "--", ...argv];
}

function start(...described: Parameters<typeof words>) {
  const env = { ...process.env, SLIPWAY_ENGINE: "container" };
  return spawn(helper, words(...described), { env, stdio: ["pipe", "pipe", "pipe"] });
}

async function ended(child: ReturnType<typeof start>) {
  const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { out, err, status };
}

describe("a program in its image", () => {
  it("has arguments, standard streams, variables and a status of its own", async () => {
    const child = start(
      `process.stdin.on("data", (d) => process.stdout.write("in " + d)).on("end", () => {
        console.log(process.argv.slice(1).join("|"), process.env.SLIPWAY_CONTAINER_IMAGE_URIS, process.env.SECRET);
        console.error("to stderr");
        process.exitCode = 7;
      });`,
      ["a b", "--flag", ""],
    );
    child.stdin.end("text\n");
    expect(await ended(child)).toEqual({
      out: "in text\na b|--flag| default##x undefined\n",
      err: "to stderr\n",
      status: 7,
    });
  });

  it("decides what a signal does", async () => {
    const child = start(
      `process.on("SIGTERM", () => { console.log("saved"); process.exit(3); });
       setInterval(() => {}, 1000); console.log("ready");`,
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("ready");
    child.kill("SIGTERM");
    expect((await lines.next()).value).toBe("saved");
    expect(await once(child, "close")).toEqual([3, null]);
  });

  it("that does not end is gone after the second SIGINT", async () => {
    const child = start(
      `process.on("SIGINT", () => console.log("no")); setInterval(() => {}, 1000); console.log("ready");`,
    );
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("ready");
    child.kill("SIGINT");
    expect((await lines.next()).value).toBe("no");
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([137, null]);
    expect(spawnSync(client.path, ["ps", "--format={{.Image}}"], { encoding: "utf8" }).stdout).not.toContain(
      made.image,
    );
  });

  it("has the options of the engine: here a mount, and a folder to start in", async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, "out"), { mode: 0o777 });
    spawnSync("chmod", ["-R", "777", folder]);
    writeFileSync(join(folder, "in.txt"), "mine");
    const options = ["--network=none", `--volume=${folder}:/data`, "--workdir=/data"];
    const child = start(`fs.writeFileSync("out/copy.txt", fs.readFileSync("in.txt"))`, [], options);
    child.stdin.end();
    expect(await ended(child)).toEqual({ out: "", err: "", status: 0 });
    expect(readFileSync(join(folder, "out/copy.txt"), "utf8")).toBe("mine");
  });

  it("serves a port of this machine", async () => {
    const free = createServer().listen(0, "127.0.0.1");
    await once(free, "listening");
    const { port } = free.address() as AddressInfo;
    await new Promise((closed) => free.close(closed));
    const script = `require("http").createServer((_, r) => r.end("hello")).listen(8080, () => console.log("ready"))`;
    const child = start(script, [], [`--publish=127.0.0.1:${port}:8080`]);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe("ready");
    expect(await (await fetch(`http://127.0.0.1:${port}`)).text()).toBe("hello");
    // As process 1, Node ends by neither.
    for (const signal of ["SIGINT", "SIGTERM"] as const) child.kill(signal);
    await once(child, "close");
  });

  it("has the terminal of whoever starts it", () => {
    const script = `console.log([process.stdin.isTTY, process.stdout.isTTY].join(" "))`;
    const quoted = [helper, ...words(script)].map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
    const env = { ...process.env, SLIPWAY_ENGINE: "container" };
    const { stdout, status } = spawnSync("script", ["--quiet", "--return", "--command", quoted, "/dev/null"], {
      env,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
    });
    expect(stdout).toContain("true true");
    expect(status).toBe(0);
  });

  it("is refused where no engine runs images, and where the client refuses it", async () => {
    const env = { ...process.env, SLIPWAY_ENGINE: "process" };
    const { stderr, status } = spawnSync(helper, words(""), { env, encoding: "utf8" });
    expect(stderr).toEqual(printed("engine-unavailable", "//pkg:main"));
    expect(status).toBe(2);
    const child = start("", [], ["--no-such-option"]);
    child.stdin.end();
    const { err, status: refused } = await ended(child);
    expect(err).toContain("no-such-option");
    expect(refused).toBe(2);
  });
});
