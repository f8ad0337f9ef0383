import { describe, expect, it } from "vitest";
import { Failure } from "../../core/errors.ts";
import { failureWith, userErrorWith } from "../../core/testdata/reported.ts";
import { describeRight, neededRights } from "../../kubernetes/access.ts";
import { pushShell } from "../../kubernetes/testdata/image.ts";
import { grant, nobody } from "../../kubernetes/testdata/user.ts";
import { engineOfTest, type TestEngine, until } from "./testdata/cluster.ts";
import { run, shell } from "./testdata/program.ts";

describe("a user with the rights that the documentation lists", () => {
  /** Everything that jobs do, in the namespace of a user. */
  async function everything(cluster: TestEngine, env: Record<string, string>, image: string): Promise<void> {
    const engine = cluster.engine({}, env);
    const { text, status, id } = await run(engine, shell(image, "echo $A", { env: { A: "hi" } }));
    expect(text).toBe("hi\n");
    expect(status.state).toBe("succeeded");
    await engine.status(id);
    await engine.list();
    const long = await engine.submit(shell(image, "sleep 1000"));
    await engine.cancel(long);
    await engine.remove(id);
    // More than there is room for: why, is asked of the cluster's events.
    const large = await engine.submit(shell(image, "true", { resources: { memory: 2 ** 41, cpu: 1 } }));
    await until(async () => (await engine.status(large)).reason?.includes("quota"), "a reason");
    await engine.cancel(large);
  }

  it("can do everything, and with one less is told which it is", { timeout: 300_000 }, async () => {
    const cluster = await engineOfTest();
    const image = await pushShell(cluster.registry);
    const quota = { metadata: { name: "q" }, spec: { hard: { "requests.memory": "1Ti" } } };
    const limits = [{ type: "Container", defaultRequest: { memory: "1Mi" } }];
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/limitranges`, {
      body: { metadata: { name: "l" }, spec: { limits } },
    });
    await cluster.admin.api.ask("POST", `/api/v1/namespaces/${cluster.namespace}/resourcequotas`, { body: quota });
    const env = await nobody(cluster);
    await grant(cluster, env, neededRights);
    await everything(cluster, env, image);
    for (const right of neededRights) {
      await grant(cluster, env, neededRights, right);
      const name = describeRight(right);
      const needed = everything(cluster, env, image).then(() => new Error("it was not needed"));
      const error = await needed.catch((error: Error) => error);
      // A server that did not answer a moment ago may have just started: then the refusal is quoted.
      expect(error, name).toEqual(
        error instanceof Failure ? failureWith("cluster-unreachable") : userErrorWith("cluster-refused"),
      );
      expect(error.message, name).toContain(`may not ${name} in the namespace ${cluster.namespace}`);
    }
  });
});
