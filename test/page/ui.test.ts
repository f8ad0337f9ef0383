import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setInterval as every } from "node:timers/promises";
import { promisify } from "node:util";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Answers, LiveMessages } from "../../src/cli/ui/messages.ts";
import { createUi } from "../../src/cli/ui/server.ts";
import { Failure } from "../../src/core/errors.ts";
import { startTimeOf } from "../../src/core/processes.ts";
import { helperOfTest } from "../../src/functions/testdata/helper.ts";
import { header } from "../../src/layer/header.ts";
import { sha256 } from "../../src/oci/digest.ts";
import { mediaTypes } from "../../src/oci/media-types.ts";
import { registryPaths } from "../../src/registry-server/paths.ts";
import { type Ask, pushBlob, putManifest, serverOfTest } from "../../src/registry-server/testdata/fixture.ts";
import { RunRecord } from "../../src/runs/record.ts";
import { Page } from "./browser.ts";

/** The command line as a user has it, with the bundle of the page beside it. */
const commandLine = join(import.meta.dirname, "../../src/slipway.bundle/main.mjs");
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

const image = `r.example.com/team/train@sha256:${"5e".repeat(32)}`;

const sources = join(import.meta.dirname, "../../src");

/** A home of the test's own. */
function home() {
  const folder = mkdtempSync(join(tmpdir(), "slipway-ui-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  const env: Record<string, string> = { HOME: folder, XDG_STATE_HOME: folder, SLIPWAY_ENGINE: "process" };
  env["PATH"] = process.env["PATH"] ?? "";
  /** Begins a run of this process, or of another one. */
  const begin = (program: string, pid = process.pid) => {
    const start = { program, arguments: 2, engine: "kubernetes", images: [image], commit: "0123456789".repeat(4) };
    const began = startTimeOf(pid) ?? "";
    return new RunRecord(env, { version: 1, ...start, process: pid, began }, (text) => {
      throw new Error(text);
    });
  };
  return { env, begin, folder };
}

function addSteps(record: RunRecord): void {
  const step = (id: string, items: number, ...after: string[]) =>
    record.add({ batch: { id, name: id, after, items, isMap: items > 1 } });
  const done = (batch: string, index: number, where: string) => {
    record.add({ item: { batch, index, state: "running", where } });
    record.add({ item: { batch, index, state: "done", result: `{ loss: 0.${index} }` } });
  };
  step("load", 1);
  done("load", 0, "pod-0 on node-1");
  step("split", 1, "load");
  record.add({ item: { batch: "split", index: 0, state: "kept" } });
  step("train", 12, "split");
  for (let index = 0; index < 9; index++) done("train", index, `pod-${index} on node-${index % 3}`);
  record.add({ item: { batch: "train", index: 9, state: "failed", error: "TideError: no water in <b>station</b> 9" } });
  record.add({ item: { batch: "train", index: 10, state: "running", where: "pod-10 on node-1" } });
  step("best", 1, "train");
  step("report", 1, "best", "load");
  record.add({ output: { batch: "train", text: "epoch 1: loss 0.31\nepoch 2: loss 0.12\n" } });
}

/** Starts `slipway ui`. It ends with the test. */
async function start(env: Readonly<Record<string, string | undefined>>) {
  const child = spawn(process.execPath, [commandLine, "ui"], { env, stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [link] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  const url = new URL(link);
  const token = url.hash.replace("#token=", "");
  const ask = async (path: string) => fetch(url.origin + path, { headers: { authorization: `Bearer ${token}` } });
  return { child, link, origin: url.origin, token, ask };
}

async function keepPicture(page: Page, name: string): Promise<void> {
  const folder = process.env["TEST_UNDECLARED_OUTPUTS_DIR"];
  if (!folder) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.png`), await page.picture());
}

/** Elements that people with a screen reader could not use. */
async function violations(page: Page): Promise<readonly string[]> {
  await page.value(`${axe}; true`);
  const found = await page.value<readonly { id: string; nodes: readonly { html: string }[] }[]>(
    "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => ({ id, nodes: nodes.map(({ html }) => ({ html })) })))",
  );
  return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

describe("slipway ui, in a browser", () => {
  it("shows runs, live, to people who see and people who hear", { timeout: 180_000 }, async () => {
    const { env, begin } = home();
    const record = begin("//train:main");
    addSteps(record);
    const { link } = await start(env);
    const page = await Page.open();
    for (const scheme of ["light", "dark"] as const) {
      await page.theme(scheme);
      await page.go("about:blank");
      await page.go(link);
      await page.until("document.querySelector('table[aria-label^=Programs] a')");
      expect(await page.value("location.href")).not.toContain("token");
      await page.until("document.body.textContent.includes('There are no jobs')");
      await keepPicture(page, `runs-${scheme}`);
      expect(await violations(page)).toEqual([]);
      await page.value("document.querySelector('table[aria-label^=Programs] a').click()");
      await page.until("document.querySelectorAll('.graph rect').length === 5");
      await page.until("document.querySelector('.items').textContent.includes('TideError')");
      await keepPicture(page, `run-${scheme}`);
      expect(await violations(page)).toEqual([]);
    }
    // Text is text.
    expect(await page.value("document.querySelector('.items b')")).toBeNull();
    expect(await page.value("document.querySelector('.items').textContent")).toContain("{ loss: 0.8 }");
    expect(await page.value("document.querySelector('.log').textContent")).toContain("epoch 2: loss 0.12");
    record.add({ item: { batch: "train", index: 10, state: "done" } });
    await page.until("document.querySelector('table[aria-label=Steps]').textContent.includes('10 done')");
    record.end(3);
    await page.until("document.querySelector('dl').textContent.includes('failed (3)')");
    expect(page.problems).toEqual([]);
  });

  it("shows jobs, images and the registry", { timeout: 180_000 }, async () => {
    const { env, folder } = home();
    const { ask } = await serverOfTest({ paths: registryPaths(env) });
    await pushFiles(ask, "team/train", "v1", [
      { "usr/lib/big.so": 900_000 },
      { "app/main.js": 20_000, "app/old.js": 300 },
    ]);
    await pushFiles(ask, "team/train", "v2", [
      { "usr/lib/big.so": 900_000 },
      { "app/main.js": 50_000, "app/new.js": 400 },
    ]);
    await pushFiles(ask, "team/serve", "v1", [{ "usr/lib/big.so": 900_000 }, { "app/serve.js": 5000 }]);
    const id = await runJob(folder, env, "console.log('ebb <i>and</i> flood')");
    const { link } = await start(env);
    const page = await Page.open();
    await page.go(link);
    await page.until("document.querySelector('table[aria-label=Jobs] a')");
    await page.value("document.querySelector('table[aria-label=Jobs] a').click()");
    await page.until("document.querySelector('.log')?.textContent.includes('ebb <i>and</i> flood')");
    await page.until("document.querySelector('dl').textContent.includes('succeeded')");
    expect(await page.value("document.querySelector('h1').textContent")).toBe(`Job ${id}`);
    const host = `localhost:${readFileSync(registryPaths(env).port, "utf8")}`;
    const views = {
      job: ["", "document.querySelector('.log')"],
      images: ["#/images", "document.querySelectorAll('table a').length === 3"],
      image: [
        `#/images/${encodeURIComponent(`${host}/team/train:v1`)}`,
        "document.querySelectorAll('.list button').length === 2",
      ],
      diff: [
        `#/diff/${encodeURIComponent(`${host}/team/train:v1`)}/${encodeURIComponent(`${host}/team/train:v2`)}`,
        "document.querySelector('table[aria-label^=Files]')",
      ],
      registry: ["#/registry", "document.querySelectorAll('tbody tr').length === 2"],
      absent: [`#/images/${encodeURIComponent(`${host}/team/none:v1`)}`, "document.querySelector('[role=alert]')"],
    };
    for (const [name, [hash = "", isThere = ""]] of Object.entries(views)) {
      if (hash !== "") await page.value(`location.hash = ${JSON.stringify(hash)}`);
      await page.until(isThere);
      const text = await page.value<string>("document.querySelector('main').innerText.replaceAll(/\\s+/g, ' ')");
      if (name === "diff") {
        expect(text).toContain("/app/main.js 20.0 kB 50.0 kB +30.0 kB");
        expect(text).toContain("/app/new.js absent 400 B +400 B /app/old.js 300 B absent −300 B");
        expect(text).toMatch(/both base .*only the one program .*only the other program/);
      }
      // The base is stored once, and neither repository has it alone.
      if (name === "registry")
        expect(text).toMatch(/team\/train 2 2 9\d\d kB 7\d\.\d kB team\/serve 1 1 9\d\d kB \d\.\d kB/);
      if (name === "absent") expect(text).toContain("team/none");
      for (const scheme of ["light", "dark"] as const) {
        await page.theme(scheme);
        await keepPicture(page, `${name}-${scheme}`);
        expect(await violations(page), `${name} ${scheme}`).toEqual([]);
      }
    }
    expect(page.problems).toEqual([expect.stringContaining("400")]);
  });

  it("shows services with their rollouts", { timeout: 120_000 }, async () => {
    const status = (name: string, more: object = {}): LiveMessages["services"]["services"][number] => ({
      ...{ name, state: "ready", replicas: { wanted: 2, ready: 2, old: 0 }, image, endpoints: ["10.0.0.1:80"] },
      ...more,
    });
    const reason = "pod worker-1 cannot pull its image. Check the name of the image.";
    const changing = { state: "changing", replicas: { wanted: 2, ready: 1, old: 1 }, reason };
    const created = "2026-11-23T10:00:00Z";
    const history: Answers["history"] = [
      { revision: 1, created, cause: "ada: created", image, isCurrent: false },
      { revision: 2, created, cause: "ada: changed image", image, isCurrent: true },
    ];
    const page = await Page.open();
    const link = await serveHere({ services: [status("web"), status("worker", changing)] }, history);
    await page.go(link);
    await page.value("location.hash = '#/services'");
    await page.until("document.querySelector('[role=alert]')?.textContent.startsWith('The cluster does not answer.')");
    await page.until("document.querySelectorAll('tbody tr').length === 2");
    expect(await page.value("document.querySelector('[role=alert]')")).toBeNull();
    for (const name of ["services", "service"]) {
      for (const scheme of ["light", "dark"] as const) {
        await page.theme(scheme);
        await keepPicture(page, `${name}-${scheme}`);
        expect(await violations(page)).toEqual([]);
      }
      if (name === "service") break;
      await page.value("[...document.querySelectorAll('tbody a')].at(-1).click()");
      await page.until("document.querySelectorAll('table[aria-label=Rollouts] tbody tr').length === 2");
    }
    const text = await page.value<string>("document.querySelector('main').innerText");
    expect(text).toContain("1 of 2 ready, 1 of before");
    expect(text).toContain(reason);
    expect(text).toMatch(/2 \(current\)[\s\S]*changed image[\s\S]*created/);
    expect(page.problems).toEqual([]);
  });

  it("stays smooth while 1,000 calls change their state", { timeout: 180_000 }, async () => {
    const { env, begin } = home();
    const record = begin("//train:main");
    record.add({ batch: { id: "fit", name: "fit", after: [], items: 1000, isMap: true } });
    const { link } = await start(env);
    const page = await Page.open();
    await page.go(link);
    await page.until("document.querySelector('tbody a')");
    await page.value("document.querySelector('tbody a').click()");
    await page.until("document.querySelector('.items .body .row')");
    await page.value(`globalThis.framesUntil = (isOver) => new Promise((resolve) => {
      const frames = [];
      let before = performance.now();
      const look = (now) => {
        frames.push(now - before);
        before = now;
        if (isOver(frames)) resolve(frames.slice(2));
        else requestAnimationFrame(look);
      };
      requestAnimationFrame(look);
    }); true`);
    const still = await page.value<number[]>("framesUntil(({ length }) => length === 120)");
    const all = "document.querySelector('table[aria-label=Steps]').textContent.includes('980 done')";
    const counted = page.value<number[]>(`framesUntil(() => ${all})`);
    let index = 0;
    // 500 changes in a second: more than pods make.
    for await (const _ of every(20)) {
      for (const end = Math.min(1000, index + 5); index < end; index++) {
        record.add({ item: { batch: "fit", index, state: "running", where: `pod-${index} on node-${index % 7}` } });
        if (index >= 20) record.add({ item: { batch: "fit", index: index - 20, state: "done" } });
      }
      if (index === 1000) break;
    }
    const frames = await counted;
    await keepPicture(page, "thousand");
    const sorted = frames.toSorted((one, other) => one - other);
    const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
    // Longer than two frames of 60 in a second.
    const long = (times: readonly number[]) => times.filter((time) => time > 34).length / times.length;
    console.log(
      `${frames.length} frames: median ${at(0.5)} ms, 95 % ${at(0.95)} ms, longest ${at(0.9999)} ms; long ones: ` +
        `${(100 * long(frames)).toFixed(1)} %, and of a page that stands still ${(100 * long(still)).toFixed(1)} %`,
    );
    expect(frames.length).toBeGreaterThan(100);
    // The machine also runs the test, the server and more.
    expect(long(frames) - long(still)).toBeLessThan(0.2);
    // The table has few elements, however many calls there are.
    expect(await page.value("document.querySelectorAll('.items .row').length")).toBeLessThan(60);
    expect(await page.value("document.querySelector('.items').getAttribute('aria-rowcount')")).toBe("1001");
    expect(page.problems).toEqual([]);
  });

  it("can be used by keys alone, and stays without the link", { timeout: 120_000 }, async () => {
    const { env, begin } = home();
    addSteps(begin("//train:main"));
    const { link, child } = await start(env);
    const page = await Page.open();
    await page.go(link);
    await page.until("document.querySelector('tbody a')");
    const press = async (key: string) => {
      const text = key === "Enter" ? "\r" : "";
      await page.send("Input.dispatchKeyEvent", {
        type: "keyDown",
        key,
        code: key,
        text,
        windowsVirtualKeyCode: key === "Tab" ? 9 : 13,
      });
      await page.send("Input.dispatchKeyEvent", {
        type: "keyUp",
        key,
        code: key,
        windowsVirtualKeyCode: key === "Tab" ? 9 : 13,
      });
    };
    const tabTo = async (isThere: string) => {
      for (let count = 0; count < 40 && !(await page.value(`(${isThere})(document.activeElement)`)); count++)
        await press("Tab");
      expect(await page.value(`(${isThere})(document.activeElement)`)).toBe(true);
    };
    await tabTo("(at) => at.textContent === '//train:main'");
    await press("Enter");
    await page.until("document.querySelector('.items')");
    expect(await page.value("document.activeElement.tagName")).toBe("MAIN");
    await tabTo("(at) => at.textContent === 'train'");
    await press("Enter");
    await page.until("document.querySelector('.items').getAttribute('aria-rowcount') === '13'");
    await tabTo("(at) => at.className.includes('timeline')");
    // The address has no token, and the tab still has it.
    await page.send("Page.reload");
    await page.until("document.querySelector('.items')?.textContent.includes('TideError')");
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
    await page.until("document.querySelector('[role=alert]')?.textContent.includes('slipway ui')");
  });

  it("sees that a program was killed", { timeout: 120_000 }, async () => {
    const { env, begin } = home();
    const program = spawn("sleep", ["100"]);
    onTestFinished(() => void program.kill());
    addSteps(begin("//train:main", program.pid));
    const { link } = await start(env);
    const page = await Page.open();
    await page.go(link);
    await page.until("document.querySelector('tbody a')");
    expect(await page.value("document.querySelector('tbody .state').textContent")).toBe("running");
    program.kill();
    await page.until("document.querySelector('tbody .state').textContent === 'killed'");
    await page.value("document.querySelector('tbody a').click()");
    await page.until("document.querySelector('dl')?.textContent.includes('killed')");
  });
});

describe("slipway ui, to others", () => {
  it("gives nothing to another site's page", { timeout: 120_000 }, async () => {
    const { env, begin } = home();
    addSteps(begin("//train:main"));
    const { origin } = await start(env);
    const other = createServer((_request, response) => {
      response.setHeader("content-type", "text/html");
      response.end("<title>other</title>");
    }).listen(0, "127.0.0.1");
    onTestFinished(() => void other.close());
    await once(other, "listening");
    const page = await Page.open();
    const { port } = other.address() as AddressInfo;
    // Another port is another origin, of the same site. Another name is another site.
    for (const name of ["127.0.0.1", "localhost"]) {
      await page.go(`http://${name}:${port}/`);
      const read = (path: string, options: object) =>
        page.value(
          `fetch("${origin}${path}", ${JSON.stringify(options)}).then((answer) => answer.text(), () => "nothing")`,
        );
      for (const path of ["/", "/page.js", "/api/live/runs", "/api/images"]) {
        for (const options of [{}, { mode: "no-cors" }, { headers: { authorization: "Bearer x" } }]) {
          expect(await read(path, options), `${path} ${JSON.stringify(options)}`).toMatch(/^(nothing)?$/);
        }
      }
      const loaded = (tag: string, attribute: string) =>
        page.value(`new Promise((resolve) => {
          const made = document.createElement("${tag}");
          made.onload = () => resolve(made.contentDocument === null ? "closed" : "open");
          made.onerror = () => resolve("closed");
          made.${attribute} = "${origin}/" + ("${tag}" === "script" ? "page.js" : "");
          document.head.append(made);
          if ("${tag}" === "iframe") document.body.append(made);
        })`);
      expect(await loaded("script", "src")).toBe("closed");
      expect(await loaded("iframe", "src")).toBe("closed");
    }
  });

  it.skipIf(process.getuid?.() !== 0)("gives nothing to another user", { timeout: 60_000 }, async () => {
    const { env, begin, folder } = home();
    addSteps(begin("//train:main"));
    const { origin, token, child } = await start(env);
    const asNobody = async (...command: string[]) => {
      const { stdout, stderr } = await promisify(execFile)(
        "setpriv",
        ["--reuid=65534", "--regid=65534", "--clear-groups", ...command],
        {
          cwd: "/",
        },
      ).catch((error: { stdout: string; stderr: string }) => error);
      return stdout + stderr;
    };
    expect(await asNobody("id", "-u")).toBe("65534\n");
    for (const path of ["/api/live/runs", "/api/live/run?of=x", "/api/images", "/api/registry", "/", "/page.js"]) {
      expect(await asNobody("curl", "--silent", "--max-time", "5", origin + path)).not.toContain("train");
    }
    const processes = await asNobody("sh", "-c", `cat /proc/${child.pid}/cmdline /proc/${child.pid}/environ`);
    expect(processes).toContain("slipway.bundle");
    expect(processes).not.toContain(token);
    expect(statSync(join(folder, "slipway/runs")).mode & 0o077).toBe(0);
  });

  it("contains no secret of programs and jobs", { timeout: 120_000 }, async () => {
    const { env, folder } = home();
    const secrets = ["hunter2", "tides-of-march"];
    const [variable, argument] = secrets as [string, string];
    const program = [join(sources, "sdk/testdata/steps.ts"), "graph", argument];
    await promisify(execFile)(process.execPath, program, {
      env: { ...env, DB_PASSWORD: variable, SLIPWAY_ENGINE_HELPER: helperOfTest() },
    });
    const id = await runJob(folder, env, "console.log(process.env.DB_PASSWORD.length)", { DB_PASSWORD: variable });
    const { ask, token } = await start(env);
    const [run = ""] = readdirSync(join(folder, "slipway/runs"));
    const read = async (path: string, end: string) => {
      const { body } = await ask(path);
      let text = "";
      for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        if (text.includes(end)) return text;
      }
      return text;
    };
    const texts = [
      await read(`/api/live/run?of=${run.replace(".jsonl", "")}`, '"end":true'),
      await read("/api/live/runs", "\n\n"),
      await read("/api/live/jobs", "\n\n"),
      await read(`/api/live/job?of=${id}`, '"end":true'),
      ...(await Promise.all(["/", "/page.js", "/page.css"].map((path) => read(path, "</html>")))),
    ];
    expect(texts[0]).toContain('"name":"load"');
    expect(texts[2]).toContain(id);
    expect(texts[3]).toContain('"log":"7');
    const files = readdirSync(join(folder, "slipway/runs")).map((name) =>
      readFileSync(join(folder, "slipway/runs", name), "utf8"),
    );
    for (const text of [...texts, ...files])
      for (const secret of [...secrets, token]) expect(text).not.toContain(secret);
  });
});

/** Sends an image with a layer for each list of files. */
async function pushFiles(
  ask: Ask,
  repository: string,
  tag: string,
  layers: readonly Readonly<Record<string, number>>[],
) {
  const blobs = layers.map((files) =>
    Buffer.concat([
      ...Object.entries(files).flatMap(([path, size]) => [
        header({ type: "file", path, content: { bytes: Buffer.alloc(0) } }, size),
        Buffer.alloc(Math.ceil(size / 512) * 512),
      ]),
      Buffer.alloc(1024),
    ]),
  );
  const config = Buffer.from(
    JSON.stringify({
      ...{ architecture: "amd64", os: "linux", config: {}, history: [{ comment: "base" }, { comment: "program" }] },
      rootfs: { type: "layers", diff_ids: blobs.map((blob) => sha256(blob)) },
    }),
  );
  for (const blob of [config, ...blobs]) await pushBlob(ask, repository, blob);
  const part = (mediaType: string, blob: Buffer) => ({ mediaType, digest: sha256(blob), size: blob.length });
  const manifest = {
    ...{ schemaVersion: 2, mediaType: mediaTypes.manifest, config: part(mediaTypes.config, config) },
    layers: blobs.map((blob) => part(mediaTypes.layer, blob)),
  };
  const { status } = await putManifest(ask, repository, tag, Buffer.from(JSON.stringify(manifest)));
  expect(status).toBe(201);
}

/** Runs a job that prints something, to its end. */
async function runJob(folder: string, env: Record<string, string>, script: string, environment = {}): Promise<string> {
  const job = {
    interpreter: { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } },
    ...{ code: null, command: [process.execPath, "-e", script], environment },
  };
  writeFileSync(join(folder, "job.json"), JSON.stringify(job));
  const command = [commandLine, "job", "run", join(folder, "job.json")];
  const { stderr } = await promisify(execFile)(process.execPath, command, { env, cwd: folder });
  return /job (\S+)/.exec(stderr)?.[1] ?? stderr;
}

/** Serves the page from here, with services that no engine runs, and that cannot be had at first. Gives its link. */
async function serveHere(services: LiveMessages["services"], history: Answers["history"]): Promise<string> {
  const host = () => `127.0.0.1:${(app.server.address() as AddressInfo).port}`;
  const nothing = async function* () {
    yield { runs: [], jobs: [] };
  };
  let hasFailed = false;
  const app = createUi({
    actions: {},
    ...{ token: "t", host, script: readFileSync(join(sources, "ui_page.mjs"), "utf8") },
    live: {
      runs: nothing,
      jobs: nothing,
      services: async function* (_, signal) {
        if (!hasFailed) {
          hasFailed = true;
          throw new Failure(
            { code: "cluster-unreachable", culprit: "c" },
            "The cluster does not answer.",
            "Try again.",
          );
        }
        yield services;
        await once(signal, "abort");
      },
    },
    answers: { history: async () => history },
  });
  await app.listen({ host: "127.0.0.1", port: 0 });
  onTestFinished(async () => {
    app.server.closeAllConnections();
    await app.close();
  });
  return `http://${host()}/#token=t`;
}
