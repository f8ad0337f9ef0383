import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { parseAllDocuments } from "yaml";
import { serviceJsonSchema } from "../service/json-schema.ts";
import { serviceLines } from "./commands/service-status.ts";

/** The command line as a user has it, in a folder with files of the test's own. */
function service(files: Readonly<Record<string, string>>, ...args: string[]) {
  const home = mkdtempSync(join(tmpdir(), "slipway-service-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(home, name), text);
  const main = join(import.meta.dirname, "main.ts");
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", main, "service", ...args],
    {
      cwd: home,
      env: { HOME: home, SLIPWAY_CONFIG: join(home, "config.yaml"), SLIPWAY_REGISTRY: "r.io" },
      encoding: "utf8",
    },
  );
  return { out: stdout, error: stderr, status };
}

const config = "services: {instanceTypes: {small: {cpu: 0.1, memory: 64MiB}}}\n";

it("prints the JSON Schema", () => {
  const { out, status } = service({}, "schema");
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

it("renders a file, with the types of the configuration", () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: small}\n" };
  const yaml = service(files, "render", "web.yaml");
  expect(yaml).toMatchObject({ status: 0, error: "" });
  const manifests = [...parseAllDocuments(yaml.out)].map((document) => document.toJS() as { kind: string });
  expect(manifests.map(({ kind }) => kind)).toEqual(["Service", "Deployment"]);
  expect(JSON.stringify(manifests)).toContain('"limits":{"cpu":"100m","memory":"67108864"}');
  expect(JSON.parse(service(files, "render", "--json", "web.yaml").out)).toEqual({
    apiVersion: "v1",
    kind: "List",
    items: manifests,
  });
});

it("refuses mistakes with status 2, and prints nothing else", () => {
  const files = { "config.yaml": config, "web.yaml": "image: a\nport: 80\nresources: {instanceType: smal}\n" };
  const { out, error, status } = service(files, "render", "web.yaml");
  expect({ out, status }).toEqual({ out: "", status: 2 });
  expect(error).toMatch(/^web\.yaml:3:27: .*did you mean small\?[\s\S]*\[field-invalid\]\n$/);
});

it("renders models: those that are named exactly, and those that are the newest when a pod starts", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  const files = {
    "config.yaml": `services: {syncImage: "a.io/sync@${digest}", models: {claim: kept}}\n`,
    "web.yaml": `image: a\nport: 80\nmodels: [{id: "team/m@${digest}"}, {id: n, path: /n}]\n`,
  };
  const { out, status, error } = service(files, "render", "--json", "web.yaml");
  expect({ status, error }).toEqual({ status: 0, error: "" });
  const [, deployment] = (JSON.parse(out) as { items: { spec: { template: { spec: object } } }[] }).items;
  expect(deployment?.spec.template.spec).toMatchObject({
    initContainers: [
      {
        image: `a.io/sync@${digest}`,
        args: ["models", "--volume=/volume", `--model=r.io/models/team/m@${digest}`, "--model=r.io/models/n"],
      },
    ],
    volumes: [{ name: "models", persistentVolumeClaim: { claimName: "kept" } }, { name: "models-files" }],
    containers: [
      {
        volumeMounts: [
          { mountPath: "/opt/models", subPath: `models/sha256/${"0".repeat(64)}`, readOnly: true },
          {
            mountPath: "/n",
            subPath: `models/latest/${createHash("sha256").update("r.io/models/n").digest("hex")}`,
            readOnly: true,
          },
        ],
      },
    ],
  });
});

it("renders repositories, whose users and passwords are for the sync program alone, in files", () => {
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
  const { out, status } = service(files, "render", "--json", "web.yaml");
  expect(status).toBe(0);
  const [, deployment] = (JSON.parse(out) as { items: { spec: { template: { metadata: object; spec: PodSpec } } }[] })
    .items;
  const { metadata, spec } = deployment?.spec.template ?? { metadata: {}, spec: undefined };
  expect(metadata).toMatchObject({
    annotations: { "slipway/repositories.0.username": "me", "slipway/repositories.authorities.pem": certificate },
  });
  const item = (path: string) => ({
    downwardAPI: {
      items: [
        { path, fieldRef: { apiVersion: "v1", fieldPath: `metadata.annotations['slipway/repositories.${path}']` } },
      ],
    },
  });
  const password = { key: "value", path: "0.password" };
  expect(spec).toMatchObject({
    securityContext: { runAsNonRoot: true, fsGroup: 1000, fsGroupChangePolicy: "OnRootMismatch" },
    volumes: [
      { name: "repositories", persistentVolumeClaim: { claimName: "d" } },
      {
        name: "repositories-files",
        projected: {
          defaultMode: 0o440,
          sources: [
            { secret: { name: expect.stringMatching(/^secret-name-[0-9a-f]{8}$/), items: [password], optional: true } },
            item("0.username"),
            item("authorities.pem"),
          ],
        },
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
          { name: "repositories", mountPath: "/opt/repos/b", readOnly: true },
          { name: "repositories", mountPath: "/opt/repos/c", readOnly: true },
        ],
      },
    ],
  });
  expect(JSON.stringify([spec?.initContainers, spec?.containers])).not.toMatch(/secret_name-|"me"/);
  for (const text of ["none", `${certificate}-----BEGIN PRIVATE KEY-----`, `${certificate}${"x".repeat(70_000)}`]) {
    const refused = service({ ...files, "ca.pem": text }, "render", "web.yaml");
    expect(refused).toMatchObject({ out: "", status: 2 });
    expect(refused.error).toMatch(/services\.authorities .*ca\.pem[\s\S]*\[(field|file)-invalid\]\n$/);
  }
});

interface PodSpec {
  readonly initContainers: readonly object[];
  readonly containers: readonly object[];
}

it("leaves no files with secrets when it is interrupted", async () => {
  const home = mkdtempSync(join(tmpdir(), "slipway-service-"));
  onTestFinished(() => rmSync(home, { recursive: true }));
  const temporary = join(home, "tmp");
  mkdirSync(temporary);
  const image = `a.io/b@sha256:${"0".repeat(64)}`;
  // It has the image, and takes its time to make a container.
  const inspected = JSON.stringify([{ Id: "0", Config: { User: "1000" } }]);
  writeFileSync(
    join(home, "podman"),
    `#!/bin/sh\ncase "$*" in\n"image inspect"*) echo '${inspected}' ;;\n*create*) touch "$HOME/creates"; exec sleep 60 ;;\nesac\n`,
  );
  chmodSync(join(home, "podman"), 0o755);
  writeFileSync(join(home, "web.yaml"), `image: ${image}\nport: 80\nenv: [{name: HOME, value: hunter2}]\n`);
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "main.ts"), "service", "apply", "--engine", "container", "web.yaml"],
    {
      cwd: home,
      // A podman that is reached by a socket is one for any user.
      env: {
        HOME: home,
        TMPDIR: temporary,
        PATH: `${home}:${process.env["PATH"]}`,
        CONTAINER_HOST: "unix:///nothing",
      },
      stdio: "ignore",
      detached: true,
    },
  );
  // As a terminal does: to it and to all that it has started.
  const interrupt = () => process.kill(-(child.pid ?? 0), "SIGINT");
  const ended = once(child, "exit");
  await expect.poll(() => existsSync(join(home, "creates")), { timeout: 30_000 }).toBe(true);
  expect(readdirSync(temporary)).toHaveLength(1);
  interrupt();
  expect(await ended).toEqual([130, null]);
  expect(readdirSync(temporary)).toEqual([]);
});
