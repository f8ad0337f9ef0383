import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { resolve } from "node:path";
// Not the package's entry: see api.ts.
import type { Authenticator } from "@kubernetes/client-node/dist/auth.js";
import type { Cluster, User } from "@kubernetes/client-node/dist/config_types.js";
import type { Environment } from "../core/environment.ts";
import { UserError } from "../core/errors.ts";
import { printableLines } from "../core/printable.ts";
import { ProgramFailure, runProgram } from "../core/run-program.ts";
import { passingFailure } from "./api-error.ts";

/** Milliseconds that a credential plugin may take. It may open a browser for a person. */
const patience = 2 * 60_000;
/** Bytes of an ExecCredential. */
const maximumCredential = 1024 * 1024;
/** Milliseconds after which a token file is read again, as in client-go. */
const tokenTime = 60_000;
/** Milliseconds before its expiry when a credential is renewed. */
const margin = 10_000;

const provider = "slipway";

interface Plugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
}

/** The source of a user's credential. The client library's own logins must not know these names. */
type Source = { readonly file: string } | { readonly plugin: Plugin; readonly folder: string };

interface Credential {
  readonly token?: string | undefined;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  readonly expires: number;
}

/**
 * For {@link Logins}. The client library ignores `tokenFile`, and keeps a plugin's credential after a refusal.
 *
 * @param folder of the kubeconfig, for relative paths
 */
export function withOwnLogin(user: User, tokenFile: string | undefined, folder: string): User {
  const { exec, token: _, ...rest } = user;
  const source: Source | undefined = tokenFile
    ? { file: resolve(folder, tokenFile) }
    : exec && { plugin: exec as Plugin, folder };
  return source === undefined ? user : { ...rest, authProvider: { name: provider, config: source } };
}

export class Logins implements Authenticator {
  readonly #env: Environment;
  readonly #cluster: () => Cluster | null;
  readonly #patience: number;
  #current: Promise<Credential> | undefined;
  #expires = 0;
  /** After a success, a failure may pass. */
  #hasWorked = false;

  constructor(env: Environment, cluster: () => Cluster | null, time = patience) {
    this.#env = env;
    this.#cluster = cluster;
    this.#patience = time;
  }

  isAuthProvider({ authProvider }: User): boolean {
    return authProvider?.name === provider;
  }

  async applyAuthentication(user: User, options: RequestOptions): Promise<void> {
    if (this.#current === undefined || this.#expires - margin < Date.now()) {
      this.#expires = Number.POSITIVE_INFINITY;
      this.#current = this.#get(user);
    }
    const { token, clientCertificateData, clientKeyData } = await this.#current;
    if (token) options.headers = { ...options.headers, Authorization: `Bearer ${token}` };
    if (clientCertificateData) options.cert = clientCertificateData;
    if (clientKeyData) options.key = clientKeyData;
  }

  /** Forgets a refused credential. False if another login supplied it. */
  forget(): boolean {
    this.#current = undefined;
    return this.#hasWorked;
  }

  async #get(user: User): Promise<Credential> {
    const source = user.authProvider.config as Source;
    try {
      const credential = "file" in source ? await readToken(source.file) : await this.#run(user.name, source);
      this.#expires = credential.expires;
      this.#hasWorked = true;
      return credential;
    } catch (error) {
      this.#current = undefined;
      if (!this.#hasWorked || !(error instanceof UserError)) throw error;
      throw passingFailure(error);
    }
  }

  async #run(user: string, { plugin, folder }: Extract<Source, { plugin: unknown }>): Promise<Credential> {
    const { command } = plugin;
    const refused = (problem: string, remedy = "Log in to the cluster again.") =>
      new UserError(
        { code: "cluster-login", culprit: user },
        `The credential plugin ${command} of user ${user} ${problem}.`,
        remedy,
      );
    const isInteractive = process.stdin.isTTY === true;
    const spec = { interactive: isInteractive, ...(plugin.provideClusterInfo ? { cluster: this.#clusterInfo() } : {}) };
    const { apiVersion = "client.authentication.k8s.io/v1" } = plugin;
    const program = command.includes("/") ? resolve(folder, command) : command;
    const running = runProgram(program, plugin.args ?? [], {
      env: {
        ...this.#env,
        ...Object.fromEntries((plugin.env ?? []).map(({ name, value }) => [name, value])),
        KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: "ExecCredential", spec }),
      },
      isInteractive,
      most: maximumCredential,
      time: this.#patience,
      // It may ask a person to open a page.
      onStderr: (text) => process.stderr.write(printableLines(text.toString())),
      notice: `Waiting for the credential plugin ${command} of user ${user}`,
    });
    const { status, stdout, stderr } = await running.catch((error: unknown) => {
      if (!(error instanceof ProgramFailure)) throw error;
      if (error.reason === "long" || error.reason === "late") throw refused(error.how);
      const problem = error.reason === "missing" ? "is not installed" : error.how;
      throw refused(problem, plugin.installHint?.trim() || `Install ${command}, or correct the kubeconfig.`);
    });
    const words = stderr.slice(-1000).trim().replaceAll(/\s+/g, " ");
    if (status !== 0) throw refused(`ended with status ${status}${words && `: ${words}`}`);
    const credential = credentialIn(stdout);
    if (credential) return credential;
    throw refused("printed no ExecCredential with a token or a certificate", `Run ${command} by hand.`);
  }

  #clusterInfo(): object {
    const { server, caData, tlsServerName, skipTLSVerify, proxyUrl } = this.#cluster() ?? {};
    return {
      server,
      "certificate-authority-data": caData,
      "tls-server-name": tlsServerName,
      "insecure-skip-tls-verify": skipTLSVerify,
      "proxy-url": proxyUrl,
    };
  }
}

async function readToken(path: string): Promise<Credential> {
  const token = await readFile(path, "utf8").catch((cause: Error) => {
    const identity = { code: "cluster-login", culprit: path } as const;
    const problem = `The token file ${path} cannot be read: ${cause.message}.`;
    throw new UserError(identity, problem, "Log in to the cluster again.");
  });
  return { token: token.trim(), expires: Date.now() + tokenTime };
}

function credentialIn(text: string): Credential | undefined {
  try {
    const { status } = JSON.parse(text) as { status?: Omit<Credential, "expires"> & { expirationTimestamp?: string } };
    if (!status?.token && !status?.clientCertificateData) return undefined;
    const expires = Date.parse(status.expirationTimestamp ?? "");
    return { ...status, expires: Number.isNaN(expires) ? Number.POSITIVE_INFINITY : expires };
  } catch {
    return undefined;
  }
}
