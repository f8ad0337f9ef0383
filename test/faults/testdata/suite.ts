import { randomBytes } from "node:crypto";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RegistryClient } from "../../../src/registry/client/client.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { pushImages } from "../../../src/registry/client/push.ts";
import { imageOf, quickRetry } from "../../../src/registry/client/testdata/images.ts";
import { user } from "../../registries/testdata/suite.ts";
import { type FaultProxy, faultProxy, type Passing, type Target, type Treatment } from "./fault-proxy.ts";
import { expectIntact } from "./image.ts";

/** A registry, and a way to it without the proxy. */
export interface Upstream {
  readonly target: Target;
  openDirect(): RegistryClient;
}

export const basic = `Basic ${Buffer.from("u:geheim").toString("base64")}`;

/** A client that comes through a proxy, and whose waits a test does not notice. */
export function openThrough(proxy: FaultProxy, options: { attempts?: number; idleTimeout?: number } = {}): RegistryClient {
  const { attempts = quickRetry.attempts, idleTimeout = 300 } = options;
  const client = openRegistry(proxy.host, {
    retry: { ...quickRetry, attempts, firstContactBudget: 1000 },
    findCredential: async () => user,
    idleTimeout,
    firstAnswerTimeout: idleTimeout,
  });
  onTestFinished(() => client.close());
  return client;
}

const faults: Record<string, Treatment> = {
  "a reset": { kind: "reset" },
  "an answer that is lost": { kind: "lost-answer" },
  "status 500": { kind: "answer", status: 500 },
  "status 503 with Retry-After": { kind: "answer", status: 503, headers: { "retry-after": "0" } },
  "status 429": { kind: "answer", status: 429, headers: { "retry-after": "0" } },
  "a truncated body": { kind: "truncate" },
  "a slow body": { kind: "slow" },
  "an answer that never comes": { kind: "stall" },
  "status 401": { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
};

/**
 * What must arrive whatever happens once on the way.
 *
 * @param startRegistry starts an empty registry
 */
export function survives(startRegistry: () => Promise<Upstream>): void {
  describe("each request of a push that fails once", () => {
    it.each(Object.entries(faults))("with %s", async (name, fault) => {
      const { target, openDirect } = await startRegistry();
      const direct = openDirect();
      onTestFinished(() => direct.close());
      const pushOnce = async (repository: string, treat: (passing: Passing) => Treatment): Promise<Passing[]> => {
        const proxy = await faultProxy(target);
        const client = openThrough(proxy);
        // The base's layer is in another repository, from which it is mounted.
        const base = imageOf(direct, { repository: `${repository}/base`, tags: ["b"], layers: [`base ${repository}`] });
        await pushImages([base], { check: "digest" });
        const layers = [`base ${repository}`, randomBytes(200_000)];
        const image = imageOf(client, { repository, tags: ["v1", "v2"], layers, mountFrom: base.repository });
        proxy.treat = treat;
        await pushImages([image], { check: "tags", parallel: 1 });
        await expectIntact(direct, image);
        return proxy.seen;
      };
      const clean = await pushOnce("team/clean", () => ({ kind: "pass" }));
      expect(clean.map(({ method }) => method)).toContain("PUT");
      // A password that was never taken is wrong when it is refused, and not tried twice. Two tags are asked for at
      // once, at first
      // without it, in an order that is not always the same.
      const isAuthorized = clean.some(({ headers }) => headers.authorization !== undefined);
      const start = name === "status 401" && isAuthorized ? 4 : 0;
      for (let at = start; at < clean.length; at++) {
        let failed = 0;
        const seen = await pushOnce(`team/at${at}`, ({ index }) => {
          if (index !== at) return { kind: "pass" };
          failed++;
          return fault;
        });
        expect(failed).toBe(1);
        // Not always more: of two first questions, one that fails is spared the answer that a password is wanted.
        expect(seen.length).toBeGreaterThanOrEqual(clean.length);
      }
      console.log(`${name}: ${clean.length - start} requests of a push, each failed once`);
    });
  });
}
