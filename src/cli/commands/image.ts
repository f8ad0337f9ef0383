import type { Argv } from "yargs";
import { flag, json, list, required, text } from "./options.ts";

const image = required("REGISTRY/REPOSITORY:TAG or …@sha256:DIGEST");
const platform = text(
  "Platform to pick from an index, os/architecture[/variant]. Default: Linux on this machine's processor",
);

/** Commands for images. Each loads its code only when it runs. */
export function builder(yargs: Argv): Argv {
  return yargs
    .command(
      "inspect <image>",
      "Show an image's platform, layers and configuration",
      (command) =>
        command
          .positional("image", image)
          .option(
            "platform",
            text("Platform to pick from an index, os/architecture[/variant]. Default: show the index"),
          )
          .option("json", flag("Print manifest and configuration as one JSON object")),
      async (options) => (await import("./image-inspect.ts")).inspect(options),
    )
    .command(
      "check <image>",
      "Check an image against the requirements of Slipway or Sematic, without running it",
      (command) =>
        command
          .positional("image", image)
          .option("for", {
            choices: ["slipway", "sematic"] as const,
            default: "slipway" as const,
            describe: "Requirements to check",
          })
          .option("module", {
            ...list("Python modules that the image must contain, with --for sematic"),
            default: [] as readonly string[],
          })
          .option("platform", platform)
          .option("json", json)
          .example(
            "$0 image check registry.example.com/team/app:v1",
            "Check an image before you set SLIPWAY_CONTAINER_IMAGE to it",
          ),
      async (options) => (await import("./image-check.ts")).check(options),
    )
    .command(
      "tree <image>",
      "Show the size of an image's layers and folders",
      (command) =>
        command
          .positional("image", image)
          .option("platform", platform)
          .option("depth", { type: "number", default: 4, describe: "Levels of folders to print, at least 1" })
          .option("html", text("Write an HTML page with a treemap to this file instead"))
          .option("json", { type: "boolean", describe: "Print every file as JSON instead, sizes in bytes" })
          .conflicts("html", "json")
          .example("$0 image tree localhost:5000/team/app:v1 --html app.html", "Write a page to open in a browser"),
      async (options) => (await import("./image-tree.ts")).tree(options),
    )
    .command(
      "referrers <image>",
      "List what refers to an image: SBOMs, provenance, signatures",
      (command) => command.positional("image", image).option("json", json),
      async (options) => (await import("./image-referrers.ts")).referrers(options),
    )
    .command(
      "sbom <image>",
      "Print the SBOM that is attached to an image",
      (command) =>
        command
          .positional("image", image)
          .option("platform", platform)
          .option("format", { choices: ["spdx", "cyclonedx"] as const, describe: "Format. Default: what is attached" })
          .option("key", text("Print only an SBOM that is signed with this public key"))
          .option("digest", text("Digest of one of several unsigned SBOMs"))
          .conflicts("key", "digest")
          .example("$0 image sbom registry.example.com/team/app:v1 > app.spdx.json", "Save an SBOM for a scanner"),
      async (options) => (await import("./image-sbom.ts")).sbom(options),
    )
    .command(
      "sign <image>",
      "Sign an image as cosign does",
      (command) =>
        command
          .positional("image", image)
          .option(
            "key",
            text("Private key: a PEM file, env://NAME, or awskms:///alias/NAME. Password: SLIPWAY_KEY_PASSWORD"),
          )
          .option("keyless", {
            type: "boolean",
            describe: "Sign with the identity of this CI job, or of the token in SIGSTORE_ID_TOKEN",
          })
          .conflicts("key", "keyless")
          .example("$0 image sign registry.example.com/team/app:v1 --key cosign.key", "Sign with a key"),
      async (options) => (await import("./image-sign.ts")).sign(options),
    )
    .command(
      "verify <image>",
      "Verify an image's signature or attestation, as cosign does",
      (command) =>
        command
          .positional("image", image)
          .option("key", text("Public key: a PEM file, env://NAME, or awskms:///alias/NAME"))
          .option("identity", text("Without a key: the identity in the certificate, such as an e-mail address"))
          .option("issuer", text("Without a key: the URL of the service that vouched for the identity"))
          .option("type", text("An attestation instead: slsaprovenance1, spdxjson, cyclonedx, or a predicate's URI"))
          .option("builder", text("Provenance: the ID of the builder that it must name"))
          .option("source", text("Provenance: the URL of the source repository that it must name"))
          .conflicts("key", ["identity", "issuer"])
          .option("json", json)
          .example("$0 image verify registry.example.com/team/app:v1 --key cosign.pub", "Verify with a key"),
      async (options) => (await import("./image-verify.ts")).verify(options),
    )
    .command(
      "ls [repository]",
      "List the tags of a repository",
      (command) =>
        command
          .positional(
            "repository",
            text("REGISTRY/REPOSITORY. Default: list the repositories of the embedded registry"),
          )
          .option("json", json),
      async (options) => (await import("./image-ls.ts")).list(options),
    )
    .command(
      "copy <source> <destination>",
      "Copy an image between repositories or registries",
      (command) =>
        command
          .positional("source", image)
          .positional("destination", required("REGISTRY/REPOSITORY[:TAG]. Default tag: the source's"))
          .option(
            "platform",
            text("Copy only this platform of an index, os/architecture[/variant]. Default: the whole index"),
          )
          .option("referrers", flag("Also copy artifacts that refer to the image: signatures, attestations"))
          .option("json", flag("Print one JSON object per event, sizes in bytes; the last one has the reference"))
          .example("$0 image copy ubuntu:24.04 registry.example.com/base/ubuntu", "Mirror an image for all platforms"),
      async (options) => (await import("./image-copy.ts")).copy(options),
    )
    .command(
      "rm <images..>",
      "Remove tags, or images by digest with all their tags and referrers",
      (command) =>
        command
          .positional("images", { ...image, array: true, defaultDescription: "none" })
          .example("$0 image rm localhost:5000/team/app:old", "Remove a tag; the image stays while it has other tags"),
      async (options) => (await import("./image-rm.ts")).remove(options),
    )
    .command(
      "lock <file>",
      "Lock the Debian packages of a base image to the newest versions",
      (command) =>
        command
          .positional("file", required("Lock file. If it exists, options that you omit keep their locked values"))
          .option("suite", list("Debian suites, such as bookworm bookworm-security"))
          .option("component", list("Debian components. Default for a new lock: main"))
          .option("architecture", text("Debian architecture. Default for a new lock: amd64"))
          .option("package", list("Packages to install, with their dependencies"))
          .option("exclude", list("Packages to leave out even if others depend on them"))
          .option("mirror", {
            ...text("URL of a Debian mirror, such as https://HOST/debian"),
            default: "",
            defaultDescription: "from this machine's apt sources",
          })
          .example("$0 image lock base.lock", "Update to the newest versions")
          .example(
            "$0 image lock base.lock --suite trixie --package base-files libc6 --exclude debconf",
            "Create a lock",
          ),
      async (options) => (await import("./image-lock.ts")).lock(options),
    )
    .demandCommand(1, "slipway image needs a command.");
}
