import { readFile } from "node:fs/promises";
import type { RequestOptions } from "node:https";
import { resolve } from "node:path";
// Not from the package's entry, for the reason in api.ts.
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
/** Milliseconds for which the content of a token file is used, as in client-go. */
const tokenTime = 60_000;
/** Milliseconds before its end at which a credential is no longer used. */
const margin = 10_000;

const provider = "slipway";

/** A plugin as a kubeconfig describes it (`exec`, client.authentication.k8s.io). */
interface Plugin {
  readonly apiVersion?: string;
  readonly command: string;
  readonly args?: readonly string[] | null;
  readonly env?: readonly { readonly name: string; readonly value: string }[] | null;
  readonly installHint?: string;
  readonly provideClusterInfo?: boolean;
}

/** Where a user's credential comes from. The package's own logins must not know the names. */
type Source = { readonly file: string } | { readonly plugin: Plugin; readonly folder: string };

interface Credential {
  readonly token?: string | undefined;
  readonly clientCertificateData?: string;
  readonly clientKeyData?: string;
  /** Milliseconds since the epoch. */
  readonly expires: number;
}

/**
 * Lets {@link Logins} log in a user with a token file or a credential plugin. Kubernetes' package reads no `tokenFile`, and keeps what a plugin
 * gave even after the server refused it.
 *
 * @param tokenFile as the kubeconfig has it
 * @param folder of the kubeconfig, to which paths are relative
 */
export function withOwnLogin(user: User, tokenFile: string | undefined, folder: string): User {
  const { exec, token: _, ...rest } = user;
  const source: Source | undefined = tokenFile
    ? { file: resolve(folder, tokenFile) }
    : exec && { plugin: exec as Plugin, folder };
  return source === undefined ? user : { ...rest, authProvider: { name: provider, config: source } };
}

/** Gets credentials of users, and gets them again when they end or are refused. */
export class Logins implements Authenticator {
  readonly #env: Environment;
  readonly #cluster: () => Cluster | null;
  readonly #patience: number;
  #current: Promise<Credential> | undefined;
  /** Of {@link #current}. */
  #expires = 0;
  /** Whether a credential was ever given: a failure after that may pass. */
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

  /** Forgets a credential that was refused. False: it is not of this class, so that the next one would be the same. */
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
    throw new UserError(
      identity,
      `The token file ${path} cannot be read: ${cause.message}.`,
      "Log in to the cluster again.",
    );
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
