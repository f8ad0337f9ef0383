import { group } from "../command.ts";

export const image = group("image", {
  "inspect <image>": [
    "Show an image's platform, layers and configuration",
    async () => (await import("./image-inspect.ts")).inspect,
  ],
  "check <image>": [
    "Check an image against the requirements of Slipway or Sematic, without running it",
    async () => (await import("./image-check.ts")).check,
  ],
  "tree <image>": [
    "Show the size of an image's layers and folders",
    async () => (await import("./image-tree.ts")).tree,
  ],
  "referrers <image>": [
    "List what refers to an image: SBOMs, provenance, signatures",
    async () => (await import("./image-referrers.ts")).referrers,
  ],
  "sbom <image>": ["Print the SBOM that is attached to an image", async () => (await import("./image-sbom.ts")).sbom],
  "sign <image>": ["Sign an image as cosign does", async () => (await import("./image-sign.ts")).sign],
  "verify <image>": [
    "Verify an image's signature or attestation, as cosign does",
    async () => (await import("./image-verify.ts")).verify,
  ],
  "ls [repository]": ["List the tags of a repository", async () => (await import("./image-ls.ts")).ls],
  "copy <source> <destination>": [
    "Copy an image between repositories or registries",
    async () => (await import("./image-copy.ts")).copy,
  ],
  "rm <images..>": [
    "Remove tags, or images by digest with all their tags and referrers",
    async () => (await import("./image-rm.ts")).rm,
  ],
  "lock <file>": [
    "Lock the Debian packages of a base image to the newest versions",
    async () => (await import("./image-lock.ts")).lock,
  ],
});
