import type { RunnableImage } from "../../oci/runnable-image.ts";
import type { ContainerClient } from "../client.ts";
import { type ContainerRunOptions, runContainer } from "../run.ts";
import type { ContainerRun } from "../run-description.ts";

/** A run of which nothing is said but the image. */
export const emptyRun: ContainerRun = {
  image: `r.example.com/a@sha256:${"0".repeat(64)}` as RunnableImage,
  programArguments: [],
  env: {},
  stdin: "",
  network: "none",
  resources: {},
  onStdout: () => {},
};

/** Runs JavaScript in a container, to its end, and gives what it said. */
export async function evaluate(
  client: ContainerClient,
  code: string,
  { image, ...run }: Partial<Omit<ContainerRun, "image">> & { readonly image: string },
  options: ContainerRunOptions = {},
): Promise<{ status: number; out: string; err: string }> {
  const [out, err]: [Buffer[], Buffer[]] = [[], []];
  const onStdout = (chunk: Buffer) => void out.push(chunk);
  const whole: ContainerRun = { ...emptyRun, programArguments: ["-e", code], onStdout, ...run, image: image as RunnableImage };
  const status = await runContainer(client, whole, { onStderr: (chunk) => void err.push(chunk), ...options });
  return { status, out: Buffer.concat(out).toString(), err: Buffer.concat(err).toString() };
}
