import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import type { ResolvedDeployment } from "../schema.ts";
import type { JobOutcome, LogChunk } from "../engine.ts";
import { jobsFolder } from "../job-folder.ts";
import { LocalEngine } from "../local-engine.ts";
import { makeProgram } from "../program.ts";

/** The state folder of a file of tests, in which code and jobs are. */
export const home = mkdtempSync(join(tmpdir(), "slipway-jobs-"));
afterAll(() => rmSync(home, { recursive: true, force: true, maxRetries: 3 }));
for (const folder of ["code", "lib"]) mkdirSync(join(home, folder));
writeFileSync(join(home, "lib/helper.py"), "VALUE = 40\n");

const supervisor = join(import.meta.dirname, "supervisor.ts");
export const engine = new LocalEngine({ ...process.env, XDG_STATE_HOME: home }, [
  process.execPath,
  "--disable-warning=ExperimentalWarning",
  supervisor,
]);

export const root = jobsFolder({ XDG_STATE_HOME: home });

/** A deployment of which nothing is said but its interpreter. */
export const plain = {
  interpreter: { ServerAvailableInterpreter: { interpreter_path: "SLIPWAY_INTERPRETER" } },
  environment: {},
  resources: {},
  retries: 0,
} as const;

export async function submit(part: Partial<ResolvedDeployment>, secret: Record<string, string> = {}): Promise<string> {
  const folders = [join(home, "code"), join(home, "lib")];
  return engine.submit(makeProgram("A Test", { ...plain, ...part }, { folders }, { ...process.env, ...secret }));
}

export async function textOf(chunks: AsyncIterable<LogChunk>): Promise<{ stdout: string; stderr: string }> {
  const text = { stdout: "", stderr: "" };
  for await (const { stream, data } of chunks) text[stream] += data.toString();
  return text;
}

/** Runs a job to its end. */
export async function run(
  part: Partial<ResolvedDeployment>,
): Promise<JobOutcome & { readonly text: { stdout: string; stderr: string } }> {
  const id = await submit(part);
  const text = await textOf(engine.logs(id, { follow: true }));
  return { ...(await engine.collect(id)), text };
}

/** A module of the code. */
export function code(name: string, text: string): string {
  writeFileSync(join(home, "code", name), text);
  return name;
}

/** The first thing that a job prints. */
export async function firstWords(id: string): Promise<string> {
  for await (const { data } of engine.logs(id, { follow: true })) return data.toString();
  return "";
}
