import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Trust } from "../config/trust.ts";
import type { Environment } from "../core/environment.ts";
import { removedAtEnd } from "../core/interrupts.ts";
import { parseReference } from "../oci/reference.ts";
import { dockerHub } from "../oci/registry-host.ts";
import type { ContainerClient } from "./client.ts";
import { dockerConfigFolder, dockerContext } from "./docker-endpoint.ts";

/** A login to one registry. The tokens are fields of Docker's configuration file. */
export interface Login {
  readonly username: string;
  readonly password: string;
  readonly identityToken?: string;
  readonly registryToken?: string;
  readonly source?: string;
}

export interface Access {
  /** By default the client uses the user's own logins. */
  readonly login?: Login;
  /** For podman. Docker's daemon has its own settings. */
  readonly settings?: Trust & { readonly plainHttp?: boolean };
}

/** The private files of one run. The end of this process removes them too. */
export interface RunFolder extends Disposable {
  /** Written by the client once the container exists, that is, after any pull. */
  readonly containerIdFile: string;
  readonly environmentFile?: string;
  /** Make podman use the login and the certificates. */
  readonly pullArguments: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
  readonly write: (name: string, content: string) => string;
  readonly remove: () => void;
}

export function makeRunFolder(
  client: ContainerClient,
  image: string,
  environment: string,
  { login, settings }: Access,
  env: Environment,
): RunFolder {
  // From before it is made: a signal may come at any time.
  let folder = "";
  const release = removedAtEnd(() => remove());
  const remove = () => {
    release();
    if (folder !== "") rmSync(folder, { recursive: true, force: true });
  };
  folder = mkdtempSync(join(tmpdir(), "slipway-run-"));
  const write = (name: string, content: string): string => {
    const path = join(folder, name);
    writeFileSync(path, content, { mode: 0o600, flag: "wx" });
    return path;
  };

  const files = {
    containerIdFile: join(folder, "container-id"),
    ...(environment === "" ? {} : { environmentFile: write("environment", environment) }),
    pullArguments: [] as string[],
    variables: {},
    write,
    remove,
    [Symbol.dispose]: remove,
  };
  if (client.name === "podman") {
    if (login)
      files.pullArguments.push(`--authfile=${write("auth.json", JSON.stringify({ auths: authsOf(image, login) }))}`);
    const { authorities, clientCertificate } = settings ?? {};
    if (authorities) write("ca.crt", authorities.join("\n"));
    if (clientCertificate) {
      write("client.cert", clientCertificate.certificate);
      write("client.key", clientCertificate.key);
    }
    if (authorities || clientCertificate) files.pullArguments.push(`--cert-dir=${folder}`);
    return files;
  }
  if (login === undefined) return files;

  // Docker has one folder for logins and contexts: the user's contexts must stay in view.
  const currentContext = dockerContext(env);
  write(
    "config.json",
    JSON.stringify({ auths: authsOf(image, login), ...(currentContext === undefined ? {} : { currentContext }) }),
  );
  const contexts = join(dockerConfigFolder(env), "contexts");
  if (existsSync(contexts)) symlinkSync(contexts, join(folder, "contexts"));
  return { ...files, variables: { DOCKER_CONFIG: folder } };
}

function authsOf(image: string, { username, password, identityToken, registryToken }: Login): object {
  const { registry } = parseReference(image);
  const auth = {
    auth: Buffer.from(`${username}:${password}`).toString("base64"),
    ...(identityToken && { identitytoken: identityToken }),
    ...(registryToken && { registrytoken: registryToken }),
  };
  // Docker and podman have other names for Docker Hub.
  const names = registry === dockerHub ? ["https://index.docker.io/v1/", "docker.io"] : [registry];
  return Object.fromEntries(names.map((name) => [name, auth]));
}
