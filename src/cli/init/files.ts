import bazelVersion from "../../../.bazelversion" with { type: "text" };
import module from "../../../MODULE.bazel" with { type: "text" };
import lock from "../../../pnpm-lock.yaml" with { type: "text" };
import bazel from "../../../tools/bazel" with { type: "text" };
import bazelisk from "../../../tools/bootstrap/bazelisk.sh" with { type: "text" };
import choose from "../../../tools/bootstrap/choose.sh" with { type: "text" };
import debian from "../../../tools/bootstrap/debian.sh" with { type: "text" };
import debianPackages from "../../../tools/bootstrap/debian_packages.sh" with { type: "text" };
import debianRelocate from "../../../tools/bootstrap/debian_relocate.sh" with { type: "text" };
import messages from "../../../tools/bootstrap/messages.sh" with { type: "text" };
import moduleRegistry from "../../../tools/bootstrap/module_registry.sh" with { type: "text" };
import onPath from "../../../tools/bootstrap/on_path.sh" with { type: "text" };
import truststore from "../../../tools/bootstrap/truststore.sh" with { type: "text" };
import { lockedPackage } from "../npm-lock.ts";
import anyBuild from "./templates/any/BUILD.tmpl" with { type: "text" };
import anyGreeting from "./templates/any/greeting.txt.tmpl" with { type: "text" };
import anyMain from "./templates/any/main.sh.tmpl" with { type: "text" };
import bazelrc from "./templates/bazelrc.tmpl" with { type: "text" };
import gitignore from "./templates/gitignore.tmpl" with { type: "text" };
import pythonBuild from "./templates/python/BUILD.tmpl" with { type: "text" };
import pythonMain from "./templates/python/main.py.tmpl" with { type: "text" };
import pythonIn from "./templates/python/requirements.in.tmpl" with { type: "text" };
import pythonLock from "./templates/python/requirements.txt.tmpl" with { type: "text" };
import typescriptBuild from "./templates/typescript/BUILD.tmpl" with { type: "text" };
import typescriptMain from "./templates/typescript/main.ts.tmpl" with { type: "text" };
import typescriptPackage from "./templates/typescript/package.json.tmpl" with { type: "text" };
import typescriptLock from "./templates/typescript/pnpm-lock.yaml.tmpl" with { type: "text" };
import { bootstrapLock, moduleDependencies, type Templates } from "./templates.ts";

/** Files that also exist in this repository are imported from there. */
export const templates: Templates = {
  settings: { ".bazelrc": bazelrc, ".bazelversion": bazelVersion, ".gitignore": gitignore },
  bootstrap: {
    "tools/bazel": bazel,
    "tools/bootstrap/bazelisk.sh": bazelisk,
    "tools/bootstrap/choose.sh": choose,
    "tools/bootstrap/debian.sh": debian,
    "tools/bootstrap/debian_packages.sh": debianPackages,
    "tools/bootstrap/debian_relocate.sh": debianRelocate,
    "tools/bootstrap/messages.sh": messages,
    "tools/bootstrap/module_registry.sh": moduleRegistry,
    "tools/bootstrap/on_path.sh": onPath,
    "tools/bootstrap/pnpm-lock.yaml": bootstrapLock("@bazel/bazelisk", lockedPackage(lock, "@bazel/bazelisk")),
    "tools/bootstrap/slipway.MODULE.bazel": moduleDependencies(module),
    "tools/bootstrap/truststore.sh": truststore,
  },
  programs: {
    any: { "BUILD.bazel": anyBuild, "greeting.txt": anyGreeting, "main.sh": anyMain },
    python: {
      "BUILD.bazel": pythonBuild,
      "main.py": pythonMain,
      "requirements.in": pythonIn,
      "requirements.txt": pythonLock,
    },
    typescript: {
      "BUILD.bazel": typescriptBuild,
      "main.ts": typescriptMain,
      "package.json": typescriptPackage,
      "pnpm-lock.yaml": typescriptLock,
    },
  },
};
