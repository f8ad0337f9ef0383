import { inImage, main } from "slipway";
import { check } from "./lib/tide.ts";

const far = inImage("far", (depth: number): number => {
  return check({ depth });
});

async function measure(): Promise<number> {
  return await far(3);
}

await main(async () => {
  await measure();
});
