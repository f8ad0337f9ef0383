import type { RunnableImage } from "../../../src/oci/runnable-image.ts";
import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { buildSync } from "esbuild";
import { KubernetesEngine } from "../../../src/jobs/kubernetes/engine.ts";
import type { Program } from "../../../src/jobs/program.ts";
import { shellImage } from "./image.ts";
import { type Rule, TestNamespace } from "./namespace.ts";
import { inEmbeddedRegistry } from "./registries.ts";

/** A user who runs scripts in a namespace of a test's own, from the user's embedded registry. */
export class ShellUser {
  readonly namespace: TestNamespace;
  readonly image: string;
  /** What the engine told the user. */
  readonly notices: string[] = [];

  private constructor(namespace: TestNamespace, image: string) {
    this.namespace = namespace;
    this.image = image;
  }

  static async make(rules?: readonly Rule[]): Promise<ShellUser> {
    const namespace = await TestNamespace.make(rules);
    return new ShellUser(namespace, await inEmbeddedRegistry(shellImage(), namespace.env));
  }

  static of(namespace: TestNamespace, image: string): ShellUser {
    return new ShellUser(namespace, image);
  }

  engine(env: Readonly<Record<string, string>> = this.namespace.env): KubernetesEngine {
    return new KubernetesEngine(env, { notice: (text) => this.notices.push(text) });
  }

  program(script: string, { image, ...more }: Partial<Omit<Program, "image">> & { readonly image?: string } = {}): Program {
    return {
      name: "shell",
      image: (image ?? this.image) as RunnableImage,
      argv: ["sh", "-c", script],
      env: {},
      mounts: [],
      stdin: "[]",
      isFunction: false,
      resources: {},
      network: "none",
      retries: 0,
      ...more,
    };
  }

  /** A client in a process of its own; `client.ts` has what it does. */
  client(what: string, argument: string, env: Readonly<Record<string, string>> = this.namespace.env) {
    const script = join(this.namespace.home, "client.mjs");
    if (!existsSync(script)) bundleClient(script);
    return spawn(process.execPath, [script, what, argument], {
      env: { ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
  }
}

/** A user, and a job of the user's. */
export async function submitted(script: string, { image, ...more }: Partial<Omit<Program, "image">> & { readonly image?: string } = {}) {
  const user = await ShellUser.make();
  const engine = user.engine();
  return { user, engine, id: await engine.submit(user.program(script, more)) };
}

/** Sources name files as bundles see them, so that Node alone cannot run them. */
export function bundleClient(script: string): void {
  buildSync({
    entryPoints: [join(import.meta.dirname, "client.ts")],
    outdir: dirname(script),
    outExtension: { ".js": ".mjs" },
    bundle: true,
    // What is loaded where it is needed is in files of its own.
    splitting: true,
    platform: "node",
    format: "esm",
    external: ["@aws-sdk/*"],
    banner: { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' },
  });
}

/** The name of a job in the cluster. */
export function nameOf(id: string): string {
  return id.slice(id.indexOf(":") + 1);
}

/** What a job prints until it ends. */
export async function textOf(engine: KubernetesEngine, id: string): Promise<string> {
  let text = "";
  for await (const { data } of engine.logs(id, { follow: true })) text += data.toString();
  return text;
}

/** Settles when a job has printed something. */
export async function firstWords(engine: KubernetesEngine, id: string): Promise<string> {
  for await (const { data } of engine.logs(id, { follow: true })) return data.toString();
  throw new Error(`${id} printed nothing: ${JSON.stringify(await engine.status(id))}`);
}

/** What a process printed, once it has ended. */
export async function outputOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<{ status: number | null; stdout: string; stderr: string }> {
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  return { status, stdout, stderr };
}
