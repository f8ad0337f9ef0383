import { expect, it } from "vitest";
import type { Api, Asked } from "../../engine/kubernetes/api.ts";
import { refusalError } from "../../engine/kubernetes/api-error.ts";
import { serviceOf } from "../testdata/service.ts";
import { applyService, type Change, prune } from "./apply.ts";
import { renderService } from "./render.ts";

/** An API server that keeps what it is given, and whose controllers do nothing. */
class Server {
  readonly objects = new Map<string, object>();
  /** Called after an object was put. */
  onPut: (path: string) => void = () => {};

  readonly place = { api: this as unknown as Api, namespace: "n" };

  async ask(method: string, path: string, { body }: Asked = {}) {
    if (method === "PATCH") {
      this.objects.set(path, body ?? {});
      this.onPut(path);
      return body;
    }
    if (method === "DELETE") return this.objects.delete(path);
    if (/\/namespaces\/n\/[^/]+$/.test(path)) {
      const items = [...this.objects].filter(([each]) => each.startsWith(`${path}/`)).map(([, object]) => object);
      return { metadata: {}, items };
    }
    const found = this.objects.get(path);
    if (found) return found;
    throw refusalError({ method, path, context: "c", server: "s", user: "u" }, 404, "");
  }
}

/** The service and its objects with a variable. */
function withVariable(value: string) {
  const service = serviceOf({ image: "a.io/b", port: 80, env: [{ name: "A", value }] });
  const manifests = renderService(service, undefined);
  return { service, manifests, variables: `/api/v1/namespaces/n/configmaps/${manifests[0]?.metadata.name}` };
}

it("has its variables though somebody who applies another state deletes them before the Deployment names them", async () => {
  const server = new Server();
  const { service, manifests, variables } = withVariable("mine");
  server.onPut = (path) => void (path.endsWith("/deployments/web") && server.objects.delete(variables));
  await applyService(server.place, service, manifests, false);
  expect([...server.objects.keys()]).toContain(variables);
});

it("tells what was made though what comes after it fails", async () => {
  const server = new Server();
  const { service, manifests } = withVariable("mine");
  server.onPut = (path) => {
    if (path.endsWith("/deployments/web")) throw new Error("the API server is away");
  };
  const told: string[] = [];
  const onChange = ({ action, kind }: Change) => void told.push(`${action} ${kind}`);
  await expect(applyService(server.place, service, manifests, false, { onChange })).rejects.toThrow("is away");
  expect(told).toEqual(["create ConfigMap", "create Service"]);
  server.onPut = () => {};
  told.length = 0;
  const changes = await applyService(server.place, service, manifests, false, { onChange });
  expect(told).toEqual(changes.map(({ action, kind }) => `${action} ${kind}`));
});

it("leaves the variables of a state that somebody else has just applied", async () => {
  const server = new Server();
  const other = withVariable("theirs");
  await applyService(server.place, other.service, other.manifests, false);
  const { manifests } = withVariable("mine");
  expect(await prune(server.place, "web", manifests, false)).toEqual([]);
  expect([...server.objects.keys()]).toContain(other.variables);
});
