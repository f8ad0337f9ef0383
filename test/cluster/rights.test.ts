import { readFileSync } from "node:fs";
import { expect, it, vi } from "vitest";
import { parse } from "yaml";
import type { CallOutcome } from "../../src/engine/calls/calls.ts";
import { KubernetesCalls } from "../../src/engine/calls/kubernetes.ts";
import { nonceVariable, resultFileVariable } from "../../src/engine/protocol.ts";
import { kubectl } from "./testdata/kubectl.ts";
import type { Rule } from "./testdata/namespace.ts";
import { ShellUser } from "./testdata/shell.ts";

/** The Role that the documentation asks for. */
function documentedRules(): readonly Rule[] {
  const page = readFileSync("docs/kubernetes.md", "utf8");
  for (const [, block = ""] of page.matchAll(/^```yaml\n(.*?)^```/gms)) {
    for (const document of block.split(/^---$/m)) {
      const { kind, rules } = (parse(document) ?? {}) as { kind?: string; rules?: readonly Rule[] };
      if (kind === "Role" && rules) return rules;
    }
  }
  throw new Error("docs/kubernetes.md has no Role");
}

interface Right {
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: string;
}

/** Rules as their single rights. */
function rightsOf(rules: readonly Rule[]): Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((apiGroup) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ apiGroup, resource, verb }))),
    ),
  );
}

const ruleOf = ({ apiGroup, resource, verb }: Right): Rule => ({
  apiGroups: [apiGroup],
  resources: [resource],
  verbs: [verb],
});

/** A program of which every call gives its own number, as the protocol has it. */
const numbered = `echo call $JOB_COMPLETION_INDEX
printf '\\036slipway %s {"result":%s}\\n' "$${nonceVariable}" "$JOB_COMPLETION_INDEX" >"$${resultFileVariable}"`;

/** Calls a function of a program. @returns the numbers that came back and what was printed, or the error */
async function call(user: ShellUser, count: number): Promise<{ results: unknown[]; printed: string; error?: string }> {
  const results: unknown[] = [];
  let printed = "";
  const inputs = Array.from({ length: count }, () => "[]");
  const batch = {
    image: user.image,
    programArguments: ["sh", "-c", numbered],
    env: {},
    network: "none",
    resources: {},
    name: "number",
    inputs,
  } as const;
  const listener = {
    onOutcome: (index: number, outcome: CallOutcome) => (results[index] = "reply" in outcome ? outcome.reply : outcome),
    onOutput: (data: Buffer) => (printed += data.toString()),
  };
  const error = await new KubernetesCalls(user.namespace.env).run(batch, listener).then(
    () => ({}),
    ({ message }: Error) => ({ error: message }),
  );
  return { results, printed, ...error };
}

it("as documented are enough for calls of functions, and each that is missing is named", {
  timeout: 300_000,
}, async () => {
  const rules = documentedRules();
  const rights = rightsOf(rules);
  const user = await ShellUser.make(rules);
  expect(await call(user, 3)).toEqual({ results: [{ result: 0 }, { result: 1 }, { result: 2 }], printed: "" });
  // What a single call prints is there when its result is, however fast it was.
  expect(await call(user, 1)).toEqual({ results: [{ result: 0 }], printed: "call 0\n" });
  await user.namespace.empty();

  for (const missing of rights) {
    const { apiGroup, resource, verb } = missing;
    await user.namespace.grant(rights.filter((right) => right !== missing).map(ruleOf));
    const question = ["auth", "can-i", verb, apiGroup === "" ? resource : `${resource}.${apiGroup}`];
    const as = [`--as=system:serviceaccount:${user.namespace.name}:user`, `--namespace=${user.namespace.name}`];
    // The API server hears of the change a moment later; a no is an exit status too.
    const sub = resource.split("/");
    const asked = sub.length === 2 ? ["auth", "can-i", verb, sub[0] ?? "", `--subresource=${sub[1]}`] : question;
    await vi.waitUntil(async () => (await kubectl([...asked, ...as]).catch(() => "no")).trim() === "no", {
      timeout: 20_000,
    });

    const { error } = await call(user, 1);
    const full = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
    // Calls need no more than jobs do, and a few less.
    if (`${verb} ${full}` !== "get jobs.batch" && full !== "events")
      expect(error, `without ${verb} ${full}`).toBeDefined();
    if (error !== undefined) {
      expect(error).toMatch(
        new RegExp(`User \\S+ may not ${verb} ${full.replaceAll(".", "\\.")} in the namespace .* of cluster test\\.`),
      );
    }
    await user.namespace.grant(rules);
    await user.namespace.kubectl("delete", "jobs", "--all");
    await user.namespace.empty();
  }
});
