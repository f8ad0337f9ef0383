import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { BenchContext } from "../context.ts";
import { writeLayout } from "../layouts.ts";
import { type Contestant, interleave, isInstalled, type Result, resultOf, run } from "../measure.ts";
import { moduleOf, Workspace } from "../workspace.ts";

/** An image that the node has: tools/testing/cluster brings it. */
const readyImage = "localhost/busybox:1";

/** Milliseconds after which a line is not waited for any more. */
const patience = 120_000;

let edits = Date.now();

/**
 * One line of a program edited: until the cluster, which KUBECONFIG names, has printed it. None where there is no
 * cluster.
 */
export async function clusterCase(context: BenchContext): Promise<Result[]> {
  if (!process.env["KUBECONFIG"] || !isInstalled("kubectl")) {
    context.tell("left out: KUBECONFIG names no cluster, or there is no kubectl");
    return [];
  }
  context.tell("one line edited: first line of its log on Kubernetes");
  const workspace = new Workspace(context.repository, context.scratch, "cluster");
  const namespace = `slipway-bench-${randomBytes(4).toString("hex")}`;
  const kubectl = (...args: readonly string[]) => run(["kubectl", ...args], { env: workspace.env });
  const contextName = kubectl("config", "current-context").trim();
  Object.assign(workspace.env, {
    SLIPWAY_ENGINE: "kubernetes",
    SLIPWAY_KUBERNETES_NAMESPACE: namespace,
    SLIPWAY_CONFIG: join(workspace.folder, "slipway.yaml"),
  });
  workspace.write({
    "MODULE.bazel": moduleOf(context.repository),
    "BUILD.bazel": `load("@slipway//bazel:defs.bzl", "pipeline")\npipeline(name = "main", srcs = ["main.ts"])\n`,
    "slipway.yaml": JSON.stringify({ kubernetes: { contexts: { [contextName]: { nodeLocal: true } } } }),
  });
  kubectl("create", "namespace", namespace);
  try {
    context.tell("first build, with Bazel's start");
    workspace.write(programThatSays("nothing yet"));
    workspace.bazel("build", "//:main");
    const contestants = {
      ours: ours(workspace),
      floor: floor(workspace, namespace),
      ...koPeer(context, workspace, namespace),
    };
    const spread = Object.entries(contestants).map(([name, each]) => [name, spreadOver(context.rounds, each)]);
    const samples = await interleave(Object.fromEntries(spread), context.rounds);
    return [
      resultOf(
        "first_line_on_kubernetes",
        samples,
        "at most 0.5 s more than kubectl create job of a ready image",
        (time, least) => time - least <= 0.5,
      ),
    ];
  } finally {
    kubectl("delete", "namespace", namespace, "--wait=false");
    workspace.stop();
  }
}

/**
 * Has each round begin at another part of a second, the same for all contestants: a kubelet looks for containers that
 * have begun once a second, and
 * what follows a line that was seen would always begin in step with it.
 */
function spreadOver(rounds: number, { prepare, run }: Contestant): Contestant {
  return {
    prepare: async (round) => {
      await prepare?.(round);
      const part = (1000 * (round % rounds)) / rounds;
      await delay((part - (Date.now() % 1000) + 1000) % 1000);
    },
    run,
  };
}

function ours(workspace: Workspace): Contestant {
  let line = "";
  const follower = new Follower(workspace);
  return {
    prepare: async () => {
      await follower.ended;
      line = `edit ${edits++}`;
      workspace.write(programThatSays(line));
    },
    run: () => follower.untilLine(workspace.command("run", "//:main"), line),
  };
}

function programThatSays(line: string): Record<string, string> {
  return {
    "main.ts": `import { insideImage, main, runInImage } from "slipway";
await main(async () => {
  if (insideImage()) console.log(${JSON.stringify(line)});
  else await runInImage();
});
`,
  };
}

function floor(workspace: Workspace, namespace: string): Contestant {
  let name = "";
  const follower = new Follower(workspace);
  return {
    prepare: async () => {
      await follower.ended;
      name = `floor-${edits++}`;
    },
    run: () => {
      const create = `kubectl -n ${namespace} create job ${name} --image=${readyImage} -- echo ${name} >/dev/null`;
      return follower.untilLine(["sh", "-c", `${create} && ${logOf(namespace, name)}`], name);
    },
  };
}

/** A program in Go by ko, which builds its image, pushes it and applies the Job in one command. */
function koPeer(context: BenchContext, workspace: Workspace, namespace: string): Record<string, Contestant> {
  if (!isInstalled("ko") || !isInstalled("go") || !isInstalled("skopeo")) return {};
  const folder = join(context.scratch, "ko");
  const layout = join(context.scratch, "ko-base");
  const base = `${context.registry.host}/ko-base:v1`;
  // No layers: the node unpacks them.
  writeLayout(layout, [], edits++);
  run(["skopeo", "copy", "-q", "--preserve-digests", "--dest-tls-verify=false", `oci:${layout}`, `docker://${base}`]);
  mkdirSync(folder);
  writeFileSync(join(folder, "go.mod"), "module example.test/peer\n\ngo 1.21\n");
  let name = "";
  const env = { KO_DOCKER_REPO: `${context.registry.host}/ko`, KO_DEFAULTBASEIMAGE: base };
  const follower = new Follower(workspace, folder, env);
  return {
    "ko apply of a Go program": {
      prepare: async () => {
        await follower.ended;
        name = `ko-${edits++}`;
        writeFileSync(
          join(folder, "main.go"),
          `package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(${JSON.stringify(name)}) }\n`,
        );
        const container = { name: "main", image: "ko://example.test/peer" };
        const template = { spec: { restartPolicy: "Never", containers: [container] } };
        const job = { apiVersion: "batch/v1", kind: "Job", metadata: { name, namespace }, spec: { template } };
        writeFileSync(join(folder, "job.yaml"), JSON.stringify(job));
      },
      run: () => {
        const apply = "ko apply --sbom=none --platform=linux/amd64 -f job.yaml >/dev/null 2>&1";
        return follower.untilLine(["sh", "-c", `${apply} && ${logOf(namespace, name)}`], name);
      },
    },
  };
}

/** A shell's words for the log of a job, as soon as there is one. */
function logOf(namespace: string, name: string): string {
  return `until kubectl -n ${namespace} logs --follow job/${name} 2>/dev/null; do :; done`;
}

/** Commands that are timed until they print a line, and then left to end. */
class Follower {
  readonly #cwd: string;
  readonly #env: NodeJS.ProcessEnv;
  /** Settles when the last one has ended. */
  ended: Promise<void> = Promise.resolve();

  constructor(workspace: Workspace, cwd = workspace.folder, env: NodeJS.ProcessEnv = {}) {
    this.#cwd = cwd;
    this.#env = { ...workspace.env, ...env };
  }

  untilLine([program = "", ...args]: readonly string[], line: string): Promise<void> {
    const child = spawn(program, args, {
      cwd: this.#cwd,
      env: this.#env,
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    // A shell that waits for a log has children.
    const late = setTimeout(() => child.pid && process.kill(-child.pid, "SIGTERM"), patience);
    this.ended = new Promise((resolve) => child.once("close", () => resolve(clearTimeout(late))));
    return new Promise((resolve, reject) => {
      let said = "";
      const listen = (chunk: Buffer) => {
        said += chunk;
        if (said.split("\n").includes(line)) resolve();
      };
      child.stdout.on("data", listen);
      child.stderr.on("data", listen);
      child.once("error", reject);
      child.once("close", (status) => reject(new Error(`${program} ended with status ${status}:\n${said}`)));
    });
  }
}
