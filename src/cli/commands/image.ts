import { group } from "../command.ts";

export const image = group("image", {
  "inspect <image>": ["Show an image's platform, layers and configuration", () => import("./image-inspect.ts"), "show"],
  "check <image>": [
    "Check an image against the requirements of Slipway or Sematic, without running it",
    () => import("./image-check.ts"),
  ],
  "tree <image>": ["Show the size of an image's layers and folders", () => import("./image-tree.ts")],
  "referrers <image>": [
    "List what refers to an image: SBOMs, provenance, signatures",
    () => import("./image-referrers.ts"),
  ],
  "sbom <image>": ["Print the SBOM that is attached to an image", () => import("./image-sbom.ts")],
  "sign <image>": ["Sign an image as cosign does", () => import("./image-sign.ts")],
  "verify <image>": ["Verify an image's signature or attestation, as cosign does", () => import("./image-verify.ts")],
  "ls [repository]": ["List the tags of a repository", () => import("./image-ls.ts")],
  "copy <source> <destination>": ["Copy an image between repositories or registries", () => import("./image-copy.ts")],
  "rm <images..>": [
    "Remove tags, or images by digest with all their tags and referrers",
    () => import("./image-rm.ts"),
  ],
  "lock <file>": ["Lock the Debian packages of a base image to the newest versions", () => import("./image-lock.ts")],
});
