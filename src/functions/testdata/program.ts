import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import type { TestEngine } from "../../jobs/kubernetes/testdata/cluster.ts";
import { pushImage } from "../../kubernetes/testdata/image.ts";
import type { CallBatch, CallOutcome } from "../calls.ts";
import { KubernetesCalls } from "../kubernetes.ts";
import { batch as oneCall } from "./batch.ts";

/** The program of the SDK's tests, in an image made of this Node and the sources. */
export function pushProgram({ registry }: TestEngine): Promise<string> {
  const sources = readdirSync("src", { recursive: true, encoding: "utf8" }).filter(
    (path) => /\.m?[jt]s$/.test(path) && !path.endsWith(".test.ts"),
  );
  const files = {
    "bin/node": process.execPath,
    "bin/echo": "/bin/echo",
    "app/package.json": "package.json",
    ...Object.fromEntries(sources.map((path) => [`app/src/${path}`, join("src", path)])),
  };
  const config = {
    User: "1000:1000",
    Entrypoint: ["/bin/node", "/app/src/sdk/testdata/program.ts"],
    Env: ["PATH=/bin"],
  };
  return pushImage(registry, "test/program", files, config);
}

interface CallSettings {
  readonly signal?: AbortSignal;
  readonly env?: TestEngine["env"];
  readonly onOutcome?: () => void;
}

/** Makes calls, and collects what comes of them. */
export async function call(
  cluster: TestEngine,
  batch: Partial<CallBatch>,
  { signal, env = cluster.env, onOutcome }: CallSettings = {},
) {
  const engine = new KubernetesCalls(env);
  const outcomes: CallOutcome[] = [];
  let output = "";
  await engine.run(
    { ...oneCall, name: "square", ...batch },
    {
      onOutcome: (index, outcome) => {
        expect(outcomes[index]).toBeUndefined();
        outcomes[index] = outcome;
        onOutcome?.();
      },
      onOutput: (data) => {
        output += data;
      },
      ...(signal ? { signal } : {}),
    },
  );
  // A busy machine may be told of what is waited for.
  output = output.replaceAll(/^slipway: (Waiting|Starting) .*\n/gm, "");
  return { outcomes, output, requests: engine.requests };
}
