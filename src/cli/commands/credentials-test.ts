import process from "node:process";
import { registrySettings } from "../../config/settings.ts";
import type { Environment } from "../../core/environment.ts";
import { Failure, reportOf, UserError } from "../../core/errors.ts";
import type { Credential, SshKey } from "../../credentials/credential.ts";
import { parseServiceUrl, type Service, type ServiceUrl } from "../../credentials/service-url.ts";
import {
  canGive,
  correction,
  describeEntry,
  type Entry,
  nameOf,
  readCredential,
  readSshKey,
} from "../../credentials/source.ts";
import { readStore } from "../../credentials/store.ts";
import { HttpConnection } from "../../registry/client/http.ts";
import { openRegistry } from "../../registry/client/open.ts";
import { command } from "../command.ts";
import { didYouMean } from "./credentials-list.ts";
import { lookUpAsked, readAsked, service } from "./credentials-lookup.ts";
import { text } from "./options.ts";

const what = text("Name, registry or URL. Default: all sources");

/** By name or URL, or all that were added; a line each on stdout. */
export const test = command({ what, service }, async ({ what, service }) => {
  const entries = await readStore(process.env);
  const named = entries.find(({ name }) => name !== undefined && name === what);
  if (named) return report(named);
  if (what === undefined) return testAll(entries);
  const asked = readAsked(what, service);
  const { failure, credential, source, correction } = await lookUpAsked(asked, process.env);
  if (failure !== undefined) throw failure;
  if (!credential) {
    throw new UserError(
      { code: "credential-not-found", culprit: what },
      `There is no credential for ${what}.`,
      `${didYouMean(what, entries)}\`slipway credentials explain ${what}\` shows where Slipway looked.`,
    );
  }
  const found = { credential, source: source ?? "", correction };
  process.stdout.write(`${source}: ${await askService(asked.service, asked.url, found)}\n`);
});

async function testAll(entries: readonly Entry[]): Promise<void> {
  if (entries.length === 0) process.stderr.write("Nothing was added, so there is nothing to test.\n");
  const failed: string[] = [];
  for (const entry of entries) {
    try {
      await report(entry);
    } catch (error) {
      failed.push(nameOf(entry));
      process.stderr.write(`${reportOf(error)}\n`);
    }
  }
  if (failed.length === 0) return;
  const identity = { code: "credential-invalid", culprit: failed.join(", ") } as const;
  const problem = `${failed.length} of ${entries.length} credentials failed.`;
  throw new Failure(identity, problem, "Correct them: the lines above say what is wrong.");
}

async function report(entry: Entry): Promise<void> {
  process.stdout.write(`${await testEntry(entry, process.env)}\n`);
}

/** Uses it. Returns a line that says what its server answered. */
export async function testEntry(entry: Entry, env: Environment): Promise<string> {
  const url = parseServiceUrl(entry.service, entry.url);
  const isKey = url.scheme === "ssh" || !canGive(entry.source, "password");
  const credential = isKey ? await readSshKey(entry) : await readCredential(entry, env);
  const source = describeEntry(entry);
  return `${source}: ${await askService(entry.service, url, { credential, source, correction })}`;
}

interface Tested<Kind = Credential | SshKey> {
  readonly credential: Kind;
  readonly source: string;
  readonly correction?: string | undefined;
}

async function askService(service: Service, url: ServiceUrl, { credential, ...found }: Tested): Promise<string> {
  if (credential.kind === "ssh-key" || credential.kind === "ssh-key-file") {
    return "the key can be read; `git ls-remote` asks the server";
  }
  if (service === "docker") return askRegistry(url, { credential, ...found });
  if (url.path === "") return "it can be read; give the URL of a repository or a file to have the server asked";
  return askServer(service, url, credential);
}

async function askRegistry({ host, port }: ServiceUrl, found: Tested<Credential>): Promise<string> {
  const registry = `${host}${port === undefined ? "" : `:${port}`}`;
  let wasAsked = false;
  using client = openRegistry(registry, {
    settings: await registrySettings(registry),
    findCredential: async () => {
      wasAsked = true;
      return { ...found, searched: [], problems: [] };
    },
  });
  await client.checkLogin();
  return wasAsked ? `${registry} accepts it` : `it can be read; ${registry} asks nobody for a login`;
}

async function askServer(service: Service, url: ServiceUrl, credential: Credential): Promise<string> {
  if (credential.kind !== "password") return "it can be read";
  const place = `${url.host}${url.port === undefined ? "" : `:${url.port}`}/${url.path}`;
  const address = `${url.scheme ?? "https"}://${place}`;
  const pair = Buffer.from(`${credential.username}:${credential.password}`).toString("base64");
  const request = new URL(service === "git" ? `${address}.git/info/refs?service=git-upload-pack` : address);
  const patience = { connectTimeout: 10_000, idleTimeout: 20_000 };
  // By the proxies and authorities that registries are reached with.
  const http = new HttpConnection({ origin: request.origin, connections: 1, env: process.env, ...patience });
  let status: number;
  try {
    const method = service === "git" ? "GET" : "HEAD";
    const response = await http.send({ method, url: request, headers: { authorization: `Basic ${pair}` } });
    response.body.destroy();
    status = response.status;
  } catch (cause) {
    const { message } = cause as Error;
    const identity = { code: "server-unreachable", culprit: place } as const;
    throw new UserError(identity, `${place} does not answer (${message}).`, "Check its name and the network.", {
      cause,
    });
  } finally {
    http.close();
  }
  if (status < 400) return `${place} accepts it`;
  throw new UserError(
    { code: "credential-invalid", culprit: place },
    `${place} answers ${status} to the credential.`,
    status === 401 || status === 403
      ? "Add a credential that has access, with `slipway credentials add`."
      : "Check the path; some servers answer the same when the credential has no access.",
  );
}
