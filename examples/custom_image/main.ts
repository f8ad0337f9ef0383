/**
 * Where a function runs. With the address of another image in SLIPWAY_CONTAINER_IMAGE, that one is used for everything, and nothing is pushed:
 *
 *     image=$(bazel run //:custom_push)
 *     SLIPWAY_CONTAINER_IMAGE=$image bazel run //:main
 */
import { containerImage, hasContainerImage, inImage, main } from "slipway";

const maker = inImage("maker", () => process.env["MADE_BY"] ?? "this build");

await main(async () => {
  console.log(`image: ${hasContainerImage() ? containerImage() : "none"}`);
  console.log(`made by: ${await maker()}`);
});
