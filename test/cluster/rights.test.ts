import { expect, it } from "vitest";
import { nonceVariable, resultFileVariable } from "../../src/core/protocol.ts";
import { reported } from "../../src/core/testdata/reported.ts";
import type { CallOutcome } from "../../src/functions/calls.ts";
import { KubernetesCalls } from "../../src/functions/kubernetes.ts";
import { documentedRules, rightsOf, takeRight } from "./testdata/role.ts";
import { ShellUser } from "./testdata/shell.ts";

/** A program of which every call gives its own number, as the protocol has it. */
const numbered = `echo call $JOB_COMPLETION_INDEX
printf '\\036slipway %s {"result":%s}\\n' "$${nonceVariable}" "$JOB_COMPLETION_INDEX" >"$${resultFileVariable}"`;

/** Calls a function of a program. @returns the numbers that came back and what was printed, or the error */
async function call(user: ShellUser, count: number): Promise<{ results: unknown[]; printed: string; error?: Error }> {
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
    onOutput: (data: Buffer) => {
      printed += data.toString();
    },
  };
  const error = await new KubernetesCalls(user.namespace.env).run(batch, listener).then(
    () => ({}),
    (error: Error) => ({ error }),
  );
  // A busy cluster is waited for.
  return { results, printed: printed.replaceAll(/^slipway: Waiting .*\n/gm, ""), ...error };
}

it("as documented are enough for calls of functions, and each that is missing is named", {
  timeout: 300_000,
}, async () => {
  const rules = documentedRules("docs/kubernetes.md");
  const rights = rightsOf(rules);
  const user = await ShellUser.make(rules);
  expect(await call(user, 3)).toEqual({ results: [{ result: 0 }, { result: 1 }, { result: 2 }], printed: "" });
  // What a single call prints is there when its result is, however fast it was.
  expect(await call(user, 1)).toEqual({ results: [{ result: 0 }], printed: "call 0\n" });
  await user.namespace.empty();

  for (const missing of rights) {
    const { apiGroup, resource, verb } = missing;
    await takeRight(user.namespace, rights, missing);

    const { error, printed } = await call(user, 1);
    const full = apiGroup === "" ? resource : `${resource}.${apiGroup}`;
    // A call that has succeeded keeps its result, and says what it cannot delete.
    const isDelete = `${verb} ${full}` === "delete jobs.batch";
    if (isDelete) expect(printed).toContain("may not delete jobs.batch");
    // Calls need no more than jobs do, and a few less.
    if (`${verb} ${full}` !== "get jobs.batch" && full !== "events" && !isDelete)
      expect(error, `without ${verb} ${full}`).toBeDefined();
    if (error !== undefined) expect(error).toEqual(reported("cluster-refused", `${verb} ${full}`));
    await user.namespace.grant(rules);
    await user.namespace.kubectl("delete", "jobs", "--all");
    await user.namespace.empty();
  }
});
