import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { squarify } from "./squarify.ts";

const whole = { x: 10, y: 20, width: 600, height: 400 };

describe("squarify", () => {
  it("gives every weight its share of the area, inside of the box, and none twice", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 60 }), (weights) => {
        weights.sort((one, other) => other - one);
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        const boxes = squarify(weights, whole);
        for (const [index, { x, y, width, height }] of boxes.entries()) {
          expect(width * height).toBeCloseTo((240_000 * (weights[index] as number)) / total, 3);
          expect(x).toBeGreaterThanOrEqual(10 - 1e-6);
          expect(y).toBeGreaterThanOrEqual(20 - 1e-6);
          expect(x + width).toBeLessThanOrEqual(610 + 1e-6);
          expect(y + height).toBeLessThanOrEqual(420 + 1e-6);
          for (const other of boxes.slice(index + 1)) {
            const across = Math.min(x + width, other.x + other.width) - Math.max(x, other.x);
            const down = Math.min(y + height, other.y + other.height) - Math.max(y, other.y);
            expect(Math.min(across, down)).toBeLessThan(1e-6);
          }
        }
      }),
    );
  });

  it("makes parts of equal weight nearly square", () => {
    for (const { width, height } of squarify(Array(24).fill(1), whole)) {
      expect(Math.max(width / height, height / width)).toBeLessThan(1.6);
    }
  });

  it("gives a box without area to what has no room", () => {
    expect(squarify([1], { x: 0, y: 0, width: 0, height: 0 })).toEqual([{ x: 0, y: 0, width: 0, height: 0 }]);
  });
});
