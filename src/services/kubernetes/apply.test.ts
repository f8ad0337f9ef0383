import { isDeepStrictEqual } from "node:util";
import { expect, it } from "vitest";
import type { Api, Asked } from "../../kubernetes/api.ts";
import { refusalError } from "../../kubernetes/api-error.ts";
import type { Change } from "../change.ts";
import { serviceOf } from "../testdata/service.ts";
import { applyService, prune } from "./apply.ts";
import { renderService } from "./render.ts";

/**
 * An API server that keeps what it is given, and whose controllers do nothing. It merges ports as server-side apply
 * does.
 */
class Server {
  readonly objects = new Map<string, object>();
  /** Numbers of the ports that were applied last. */
  readonly #own = new Map<string, (number | undefined)[]>();
  /** Whether an answer to an edit is lost, so that its client asks again. */
  losesAnswers = false;
  /** Called after an object was put. */
  onPut: (path: string) => void = () => {};

  readonly place = { api: this as unknown as Api, namespace: "n" };

  async ask(method: string, path: string, { body = {}, contentType, query }: Asked = {}) {
    if (contentType === "application/json-patch+json") return this.#edit(path, body as readonly Operation[]);
    if (method === "PATCH") {
      const before = this.objects.get(path);
      const after = structuredClone(body);
      const others = portsOf(before).filter((port) => !this.#own.get(path)?.includes(numberOf(port)));
      const added = others.filter((port) => !portsOf(after).some((own) => numberOf(own) === numberOf(port)));
      portsOf(after).unshift(...added);
      const names = portsOf(after).map(({ name }) => name);
      if (new Set(names).size < names.length) throw refused(method, path, 422);
      if (query?.["dryRun"]) return after;
      this.#own.set(path, portsOf(body).map(numberOf));
      this.objects.set(path, after);
      this.onPut(path);
      return after;
    }
    if (method === "DELETE") return this.objects.delete(path);
    if (/\/namespaces\/n\/[^/]+$/.test(path)) {
      const items = [...this.objects].filter(([each]) => each.startsWith(`${path}/`)).map(([, object]) => object);
      return { metadata: {}, items };
    }
    const found = this.objects.get(path);
    if (found) return found;
    throw refused(method, path, 404);
  }

  /** RFC 6902, as far as it is used here. */
  #edit(path: string, operations: readonly Operation[]): object | undefined {
    for (const { op, path: place, value } of operations) {
      const [index = 0, ...above] = place.split("/").slice(1).reverse();
      const list = above.reduceRight<unknown>(
        (at, part) => (at as Record<string, unknown>)[part],
        this.objects.get(path),
      ) as object[];
      if (op === "remove") list.splice(Number(index), 1);
      else if (!isDeepStrictEqual(list[Number(index)], value)) throw refused("PATCH", path, 422);
    }
    if (this.losesAnswers) return this.#edit(path, operations);
    return this.objects.get(path);
  }
}

interface Operation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

const refused = (method: string, path: string, status: number) =>
  refusalError({ method, path, context: "c", server: "s", user: "u" }, status, "");

type Port = { name: string; port?: number; containerPort?: number };
const numberOf = ({ port, containerPort }: Port) => port ?? containerPort;

/** The ports of a Service, or of the first container of a Deployment. */
function portsOf(object: object = {}): Port[] {
  const { spec } = object as { spec?: { ports?: Port[]; template?: { spec: { containers: { ports: Port[] }[] } } } };
  return spec?.ports ?? spec?.template?.spec.containers[0]?.ports ?? [];
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

it("shows no value of a variable that somebody else has added", async () => {
  const server = new Server();
  const { service, manifests } = withVariable("mine");
  await applyService(server.place, service, manifests, false);
  const deployment = server.objects.get("/apis/apps/v1/namespaces/n/deployments/web") as {
    spec: { template: { spec: { containers: object[] } } };
  };
  deployment.spec.template.spec.containers.push({ name: "other", env: [{ name: "B", value: "hunter2" }] });
  const told = JSON.stringify(await applyService(server.place, service, manifests, true));
  expect(told).toContain('"env":["B"]');
  expect(told).not.toContain("hunter2");
});

it("leaves the variables of a state that somebody else has just applied", async () => {
  const server = new Server();
  const other = withVariable("theirs");
  await applyService(server.place, other.service, other.manifests, false);
  const { manifests } = withVariable("mine");
  expect(await prune(server.place, "web", manifests, false)).toEqual([]);
  expect([...server.objects.keys()]).toContain(other.variables);
});

it.each([false, true])("mends a port that somebody changed by hand, or added: answers are lost: %s", async (isLost) => {
  const server = new Server();
  server.losesAnswers = isLost;
  const { service, manifests } = withVariable("mine");
  await applyService(server.place, service, manifests, false);
  const before = structuredClone([...server.objects]);
  const [web, deployment] = ["/api/v1/namespaces/n/services/web", "/apis/apps/v1/namespaces/n/deployments/web"];
  const [changed] = portsOf(server.objects.get(web));
  Object.assign(changed ?? {}, { port: 81 });
  const container = portsOf(server.objects.get(deployment));
  Object.assign(container[0] ?? {}, { containerPort: 81 });
  container.push({ name: "debug", containerPort: 9229 });
  const changes: readonly Change[] = [
    {
      action: "change",
      kind: "Service",
      name: "web",
      fields: ["spec.ports[0].port"],
      differences: [{ field: "spec.ports[0].port", before: 81, after: 80 }],
    },
    { action: "change", kind: "Deployment", name: "web", fields: ["spec.template.spec.containers[0].ports"] },
  ];
  expect(await applyService(server.place, service, manifests, true)).toMatchObject(changes);
  expect(await applyService(server.place, service, manifests, false)).toMatchObject(changes);
  expect([...server.objects]).toEqual(before);
  expect(await applyService(server.place, service, manifests, false)).toEqual([]);
  // A port that the file changes is no stranger's.
  const other = renderService({ ...service, ports: [8080] }, undefined);
  await applyService(server.place, service, other, false);
  expect([web, deployment].map((path) => portsOf(server.objects.get(path)).map(numberOf))).toEqual([[8080], [8080]]);
});
