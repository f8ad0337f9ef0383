import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parseAllDocuments } from "yaml";
import { printed, userErrorWith } from "../core/testdata/reported.ts";
import { serviceJsonSchema } from "../services/schema.ts";
import { timeOf } from "./commands/log-words.ts";
import { serviceLines } from "./commands/service-status.ts";
import { commandLine, type Outcome, run } from "./testdata/slipway.ts";

/** A folder of the test's own with files in it. */
function homeWith(files: Readonly<Record<string, string>>): string {
  const home = mkdtempSync(join(tmpdir(), "slipway-service-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  return home;
}

/** Runs the command line as a user has it, in a folder with files. */
function service(files: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
  const cwd = homeWith(files);
  const env = { HOME: cwd, SLIPWAY_CONFIG: join(cwd, "config.yaml"), SLIPWAY_REGISTRY: "r.io" };
  return run(["service", ...args], { cwd, env });
}

it.each(["plan", "apply", "ls"])("refuses an engine that does not exist: %s", async (command) => {
  const cwd = homeWith({ "a.yaml": "image: r.io/a\n" });
  const env = { HOME: cwd, SLIPWAY_ENGINE: "contaner" };
  expect(await run(["service", command, ...(command === "ls" ? [] : ["a.yaml"])], { cwd, env })).toEqual({
    out: "",
    error: printed("variable-invalid", "SLIPWAY_ENGINE=contaner is not an engine (did you mean container?)"),
    status: 2,
  });
  expect(readdirSync(cwd)).toEqual(["a.yaml"]);
});

/** The deployment that `render --json` printed. */
function deploymentIn(out: string) {
  const { items } = JSON.parse(out) as { items: { spec: { template: { metadata: object; spec: PodSpec } } }[] };
  return items[1]?.spec.template;
}

interface PodSpec {
  readonly initContainers: readonly object[];
  readonly containers: readonly object[];
}

const config = "instanceTypes: {small: {cpu: 0.1, memory: 64MiB}}\n";

it("prints the JSON Schema", async () => {
  const { out, status } = await service({}, "schema");
  expect(status).toBe(0);
  expect(JSON.parse(out)).toEqual(JSON.parse(JSON.stringify(serviceJsonSchema())));
});

it("lists services in columns", () => {
  const rows = [
    { name: "web", state: "ready", ready: 2, wanted: 2, image: "r.io/web:1" },
    { name: "worker", state: "updating", ready: 0, wanted: 1 },
  ];
  expect(serviceLines(rows)).toBe("web     ready     2 of 2 ready  r.io/web:1\nworker  updating  0 of 1 ready\n");
  expect(serviceLines([])).toBe("");
});

it("takes a duration or a time as the beginning of logs", () => {
  const now = Date.parse("2026-01-02T00:00:00Z");
  expect(timeOf("90s", now)).toEqual(new Date("2026-01-01T23:58:30Z"));
  expect(timeOf("2026-01-01T12:00:00Z", now)).toEqual(new Date("2026-01-01T12:00:00Z"));
  for (const wrong of ["soon", "12", ""])
    expect(() => timeOf(wrong, now)).toThrow(userErrorWith("command-line-invalid", "--since"));
});

it("renders a file, with the types of the configuration", async () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: small}\n" };
  const yaml = await service(files, "render", "web.yaml");
  expect(yaml).toMatchObject({ status: 0, error: "" });
  const manifests = [...parseAllDocuments(yaml.out)].map((document) => document.toJS() as { kind: string });
  expect(manifests.map(({ kind }) => kind)).toEqual(["Service", "Deployment"]);
  expect(JSON.stringify(manifests)).toContain('"limits":{"cpu":"100m","memory":"67108864"}');
  const { out } = await service(files, "render", "--json", "web.yaml");
  expect(JSON.parse(out)).toEqual({ apiVersion: "v1", kind: "List", items: manifests });
});

it("refuses mistakes with status 2, and prints nothing else", async () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: smal}\n" };
  const error = printed("field-invalid", /^web\.yaml:3:27: .*did you mean small\?/);
  expect(await service(files, "render", "web.yaml")).toEqual({ out: "", error, status: 2 });
});

it("renders models: those that are named exactly, and those that are the newest when a pod starts", async () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const files = {
    "config.yaml": `services: {syncImage: "a.io/sync@${digest}", models: {claim: kept}}\n`,
    "web.yaml": `image: a\nport: 80\nmodels: [{id: "team/m@${digest}"}, {id: n, path: /n}]\n`,
  };
  const { out, status, error } = await service(files, "render", "--json", "web.yaml");
  expect({ status, error }).toEqual({ status: 0, error: "" });
  const args = [
    "models",
    "--volume=/volume",
    "--service=web",
    `--model=r.io/models/team/m@${digest}`,
    "--model=r.io/models/n",
  ];
  const newest = createHash("sha256").update("r.io/models/n").digest("hex");
  const volumeMounts = [
    { mountPath: "/opt/models", subPath: `models/sha256/${"0".repeat(64)}`, readOnly: true },
    { mountPath: "/n", subPath: `models/latest/${newest}`, readOnly: true },
  ];
  expect(deploymentIn(out)?.spec).toMatchObject({
    initContainers: [{ image: `a.io/sync@${digest}`, args }],
    volumes: [{ name: "models", persistentVolumeClaim: { claimName: "kept" } }, { name: "models-files" }],
    containers: [{ volumeMounts }],
  });
});

it("renders repositories, whose users and passwords are for the sync program alone, in files", async () => {
  const repository = "{url: https://a.io/b, name: b, username: me, password: SECRET:secret_name}";
  const web = `image: a
port: 80
repositories: {dataset: d, mountPath: /opt/repos, repositories: [${repository}, {url: https://a.io/c, name: c}]}
`;
  const syncImage = `a.io/sync@sha256:${"0".repeat(64)}`;
  const certificate = "-----BEGIN CERTIFICATE-----\nA\n-----END CERTIFICATE-----\n";
  const files = {
    "config.yaml": `services: {syncImage: "${syncImage}", authorities: ca.pem}\n`,
    "ca.pem": certificate,
    "web.yaml": web,
  };
  const { out, status } = await service(files, "render", "--json", "web.yaml");
  expect(status).toBe(0);
  const { metadata, spec } = deploymentIn(out) ?? {};
  expect(metadata).toMatchObject({
    annotations: { "slipway/repositories.0.username": "me", "slipway/repositories.authorities.pem": certificate },
  });
  const item = (path: string) => {
    const fieldPath = `metadata.annotations['slipway/repositories.${path}']`;
    return { downwardAPI: { items: [{ path, fieldRef: { apiVersion: "v1", fieldPath } }] } };
  };
  const name = expect.stringMatching(/^secret-name-[0-9a-f]{8}$/);
  const password = { name, items: [{ key: "value", path: "0.password" }], optional: true };
  const repositories = { name: "repositories", readOnly: true };
  expect(spec).toMatchObject({
    securityContext: { runAsNonRoot: true, fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" },
    volumes: [
      { name: "repositories", persistentVolumeClaim: { claimName: "d" } },
      {
        name: "repositories-files",
        projected: { defaultMode: 0o440, sources: [{ secret: password }, item("0.username"), item("authorities.pem")] },
      },
    ],
    initContainers: [
      {
        name: "sync-repositories",
        image: syncImage,
        volumeMounts: [
          { name: "repositories", mountPath: "/volume" },
          { name: "repositories-files", mountPath: "/run/slipway/repositories", readOnly: true },
        ],
      },
    ],
    containers: [
      {
        volumeMounts: [
          { ...repositories, mountPath: "/opt/repos/b" },
          { ...repositories, mountPath: "/opt/repos/c" },
        ],
      },
    ],
  });
  expect(JSON.stringify([spec?.initContainers, spec?.containers])).not.toMatch(/secret_name-|"me"/);
  for (const text of ["none", `${certificate}-----BEGIN PRIVATE KEY-----`, `${certificate}${"x".repeat(70_000)}`]) {
    const refused = await service({ ...files, "ca.pem": text }, "render", "web.yaml");
    expect(refused).toMatchObject({ out: "", status: 2 });
    expect(refused.error).toMatch(/services\.authorities .*ca\.pem[\s\S]*\[(field|file)-invalid\]\n$/);
  }
});

it("leaves no files with secrets when it is interrupted", async () => {
  const image = `a.io/b@sha256:${"0".repeat(64)}`;
  // It has the image, and takes its time to make a container.
  const inspected = JSON.stringify([{ Id: "0", Config: { User: "1000" } }]);
  const home = homeWith({
    podman: `#!/bin/sh\ncase "$*" in\n"image inspect"*) echo '${inspected}' ;;\n*create*) touch "$HOME/creates"; exec sleep 60 ;;\nesac\n`,
    "web.yaml": `image: ${image}\nport: 80\nenv: [{name: HOME, value: hunter2}]\n`,
  });
  chmodSync(join(home, "podman"), 0o755);
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  // A podman that is reached by a socket is one for any user.
  const PATH = `${home}:${process.env["PATH"]}`;
  const env = { HOME: home, TMPDIR: temporary, PATH, CONTAINER_HOST: "unix:///nothing" };
  const words = [...commandLine.slice(1), "service", "apply", "--engine", "container", "web.yaml"];
  const child = spawn(commandLine[0], words, { cwd: home, env, stdio: "ignore", detached: true });
  // As a terminal does: to it and to all that it has started.
  const interrupt = () => process.kill(-(child.pid ?? 0), "SIGINT");
  const ended = once(child, "exit");
  await expect.poll(() => existsSync(join(home, "creates")), { timeout: 30_000 }).toBe(true);
  expect(readdirSync(temporary)).toHaveLength(1);
  interrupt();
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(temporary)).toEqual([]);
});
