import { afterEach, beforeEach, expect } from "vitest";
import type { CredentialSearch } from "../../../credentials/credential.ts";
import type { RegistryClient } from "../client.ts";
import { type OpenOptions, openRegistry } from "../open.ts";
import { FakeRegistry, type Intervention } from "./fake-registry.ts";
import { quickRetry } from "./images.ts";

/** The registry of the test that runs. */
export let registry: FakeRegistry;
const clients: RegistryClient[] = [];

/** Gives every test of a file a registry of its own, in `registry`. */
export function useRegistry(): void {
  beforeEach(async () => {
    registry = await FakeRegistry.start();
  });
  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await registry.stop();
  });
}

export const nobody: CredentialSearch = { searched: ["/home/x/.docker/config.json"], problems: [] };
export const somebody: CredentialSearch = {
  credential: { kind: "password", username: "u", password: "geheim" },
  source: "/home/x/.docker/config.json",
  searched: ["/home/x/.docker/config.json"],
  problems: [],
};
/** `Authorization` of somebody. */
export const basic = `Basic ${Buffer.from("u:geheim").toString("base64")}`;

/** A client that is closed when the test ends. */
export function open(options: OpenOptions & { search?: CredentialSearch } = {}, host = registry.host): RegistryClient {
  const client = openRegistry(host, {
    retry: quickRetry,
    findCredential: async () => options.search ?? nobody,
    ...options,
  });
  clients.push(client);
  return client;
}

/** Lets an intervention take part in the first requests that match, so many times. */
export function times(count: number, matches: RegExp, act: Intervention): Intervention {
  let left = count;
  return (request, response, seen) => {
    if (left === 0 || !matches.test(`${request.method} ${request.url}`)) return false;
    left--;
    return act(request, response, seen);
  };
}

export const answer =
  (status: number, headers: Record<string, string> = {}, body = ""): Intervention =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end(body);
    return true;
  };

/** The error with which work fails. */
export const failure = (work: Promise<unknown>): Promise<Error> =>
  work.then(
    () => expect.unreachable(),
    (error: Error) => error,
  );

/** Answers requests whose method and path match, and leaves the others to the registry. */
export const where = (matches: RegExp, act: Intervention) => times(Number.POSITIVE_INFINITY, matches, act);

/** Asks everyone for a credential who has not given the right one. */
export const guarded =
  (challenge: string, accepted: string): Intervention =>
  (...call) =>
    call[0].headers.authorization === accepted ? false : answer(401, { "www-authenticate": challenge })(...call);

export const reset: Intervention = (request) => {
  request.socket.destroy();
  return true;
};

/**
 * Counts the requests in a row that a registry gets: those that come together are one round, and are answered
 * together.
 */
export function roundsOf(of: FakeRegistry): { readonly count: number } {
  const rounds = { count: 0 };
  const waiting: (() => void)[] = [];
  let timer: NodeJS.Timeout | undefined;
  const release = () => {
    rounds.count++;
    for (const resolve of waiting.splice(0)) resolve();
  };
  of.intervene = async () => {
    clearTimeout(timer);
    // Longer than a client takes to send what it has; only a too short time would count too many rounds.
    timer = setTimeout(release, 50);
    await new Promise<void>((resolve) => waiting.push(resolve));
    return false;
  };
  return rounds;
}
