import { execFile } from "node:child_process";
import { promisify } from "node:util";

/** Objects as the API server writes them: tests look at whatever they need. */
export interface KubernetesObject {
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly uid: string;
    readonly ownerReferences?: readonly { readonly kind: string; readonly uid: string }[];
  };
  // biome-ignore lint/suspicious/noExplicitAny: the shape is the API server's, and what a test does not find fails it.
  readonly [field: string]: any;
}

/**
 * What a user of Slipway does not do: looks at a cluster, and changes it, as its administrator and by another client.
 */
export async function kubectl(args: readonly string[], input = ""): Promise<string> {
  const running = promisify(execFile)("kubectl", args, { maxBuffer: 64 * 1024 * 1024 });
  running.child.stdin?.end(input);
  return (await running).stdout;
}

/** The same for an answer that is an object. */
export async function ask(...args: readonly string[]): Promise<KubernetesObject> {
  return JSON.parse(await kubectl([...args, "--output=json"])) as KubernetesObject;
}

/** Asks until the answer is what a test waits for. */
export async function until<Answer>(
  question: () => Promise<Answer>,
  isIt: (answer: Answer) => boolean,
  timeLimit = 50_000,
): Promise<Answer> {
  for (const end = Date.now() + timeLimit; ; ) {
    const answer = await question();
    if (isIt(answer)) return answer;
    if (Date.now() > end) throw new Error(`It stays so: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
