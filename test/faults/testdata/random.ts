import { expect, onTestFinished } from "vitest";
import { exitStatusOf } from "../../../src/core/errors.ts";
import { openRegistry } from "../../../src/registry/client/open.ts";
import { pushImages } from "../../../src/registry/client/push.ts";
import { imageOf } from "../../../src/registry/client/testdata/images.ts";
import { serverOfTest } from "../../../src/registry-server/testdata/fixture.ts";
import { faultProxy, type Treatment } from "./fault-proxy.ts";
import { expectIntact, expectNothingBroken } from "./image.ts";
import { randomFrom } from "./seeds.ts";
import { openThrough } from "./suite.ts";

const treatments: readonly Treatment[] = [
  { kind: "reset" },
  { kind: "lost-answer" },
  { kind: "truncate" },
  { kind: "slow" },
  { kind: "damage" },
  { kind: "answer", status: 500 },
  { kind: "answer", status: 503, headers: { "retry-after": "0" } },
  { kind: "answer", status: 429, headers: { "retry-after": "0" } },
  { kind: "answer", status: 401, headers: { "www-authenticate": 'Basic realm="x"' } },
  { kind: "answer", status: 404 },
];

/** What became of so many pushes. */
export interface Tally {
  arrived: number;
  failed: number;
  faults: number;
}

/**
 * Pushes images over a way that breaks at random, from hardly ever to nearly always. Each must arrive byte for byte,
 * or fail with an
 * error that names the registry; and in no case may a tag name what is not whole.
 */
export async function pushAtRandom(seed: number, count: number): Promise<Tally> {
  const random = randomFrom(seed);
  const whole = (limit: number) => Math.floor(random() * limit);
  const { paths } = await serverOfTest();
  const target = { socketPath: paths.socket };
  const direct = openRegistry("localhost:1", { embedded: target });
  onTestFinished(() => direct.close());
  const tally: Tally = { arrived: 0, failed: 0, faults: 0 };
  for (let round = 0; round < count; round++) {
    const proxy = await faultProxy(target);
    const client = openThrough(proxy, { attempts: 4 });
    const rate = random() ** 2 * 0.7;
    proxy.treat = () => {
      if (random() >= rate) return { kind: "pass" };
      tally.faults++;
      return treatments[whole(treatments.length)] as Treatment;
    };
    const images = Array.from({ length: 1 + whole(2) }, (_, index) =>
      imageOf(client, {
        repository: `team/app${whole(5)}`,
        tags: [`t${round}-${index}`],
        layers: Array.from({ length: 1 + whole(3) }, () => Buffer.alloc(whole(60_000), whole(20))),
        ...(random() < 0.5 ? { mountFrom: `team/app${whole(5)}` } : {}),
      }),
    );
    const what = `seed ${seed}, push ${round}`;
    try {
      await pushImages(images, { check: random() < 0.5 ? "tags" : "digest" });
    } catch (error) {
      tally.failed++;
      expect([1, 2], what).toContain(exitStatusOf(error));
      expect(error, what).toMatchObject({
        code: expect.stringMatching(/^(registry|image)-/),
        culprit: expect.stringContaining(proxy.host),
      });
      for (const image of images) await expectNothingBroken(direct, image);
      continue;
    }
    tally.arrived++;
    for (const image of images) await expectIntact(direct, { ...image, tags: [] });
    for (const image of images) await expectNothingBroken(direct, image);
  }
  return tally;
}
