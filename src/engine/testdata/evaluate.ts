import type { ContainerClient } from "../container/client.ts";
import { type ContainerRunOptions, runContainer } from "../container/run.ts";
import type { ContainerRun } from "../engine.ts";

/** Runs JavaScript in a container, to its end, and gives what it said. */
export async function evaluate(
  client: ContainerClient,
  code: string,
  run: Partial<ContainerRun> & Pick<ContainerRun, "image">,
  options: ContainerRunOptions = {},
): Promise<{ status: number; out: string; err: string }> {
  const [out, err]: Buffer[][] = [[], []];
  const whole: ContainerRun = {
    programArguments: ["-e", code],
    env: {},
    stdin: "",
    network: "none",
    resources: {},
    onStdout: (chunk) => void out?.push(chunk),
    ...run,
  };
  const status = await runContainer(client, whole, { onStderr: (chunk) => void err?.push(chunk), ...options });
  return { status, out: Buffer.concat(out ?? []).toString(), err: Buffer.concat(err ?? []).toString() };
}
