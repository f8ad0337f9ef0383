/**
 * Every code of a UserError or Failure. The page docs/reference/errors.md is generated from it. Codes do not change their meaning; a code that
 * is no longer used is removed.
 *
 * `meaning`: when it happens, one sentence. `remedy`: what usually helps, one or two sentences. The error itself is more exact.
 */
export const errorCodes = {
  // Command line, files and settings
  "command-line-invalid": {
    meaning: "A command or an option does not exist, lacks a value, or has a value that it cannot have.",
    remedy: "Add `--help` to the command: it lists the arguments and options.",
  },
  "file-unreadable": {
    meaning: "A file or folder that you named is missing or cannot be read.",
    remedy: "Check the path, and that your user may read it.",
  },
  "file-unwritable": {
    meaning: "A file or folder cannot be written.",
    remedy:
      "Check its permissions and the free space, or choose another folder: XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME.",
  },
  "file-invalid": {
    meaning: "A file is not what it has to be: its syntax is wrong, it is too large, or it is cut short.",
    remedy: "Correct it at the line and column that the error names.",
  },
  "field-invalid": {
    meaning:
      "A field of a job, a service or a configuration file is unknown, missing, or has a value that it cannot have.",
    remedy:
      "Correct the field that the error names. `slipway job schema` prints the schema of jobs; docs/service-spec.md describes services.",
  },
  "variable-invalid": {
    meaning: "An environment variable has a value that it cannot have, or a name that it cannot have.",
    remedy: "Correct or unset it; docs/environment.md lists the variables that Slipway reads.",
  },
  "folder-unsafe": {
    meaning: "Other users could change or read a folder or file that has to be yours alone.",
    remedy: "Remove it, or make it yours alone with `chown` and `chmod 700` (files: `chmod 600`).",
  },
  "started-by-hand": {
    meaning: "A program that Bazel or another tool starts was started by hand.",
    remedy: "Start the target with `bazel run`, or let the tool start it.",
  },
  "installation-failed": {
    meaning: "`slipway install` or `slipway init` could not do its work.",
    remedy: "Read the reason in the error; nothing was left half written.",
  },

  // Programs that Slipway starts
  "program-missing": {
    meaning: "A program that this command needs is not on PATH.",
    remedy: "`slipway doctor` names the command that installs it.",
  },
  "program-failed": {
    meaning: "A program that Slipway started failed.",
    remedy: "Its last words are in the error; run it by hand to see the rest.",
  },

  // Images and registries
  "reference-invalid": {
    meaning: "A text is not an image reference, a digest, a platform or the name of a registry.",
    remedy: "Write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST; a platform as linux/amd64.",
  },
  "image-unpinned": {
    meaning: "An image is named without a digest, so that it could change.",
    remedy: "Name it by its digest; the error gives the digest where it is known.",
  },
  "image-invalid": {
    meaning: "An image, an index or a layer is damaged, or is not what its manifest says.",
    remedy: "Push or build the image again, or use another one.",
  },
  "image-unsuitable": {
    meaning:
      "An image is intact, and cannot be used here: wrong platform, no such program, a kind of artifact that is no container image.",
    remedy: "Use an image that fits; `slipway image inspect` shows what an image has.",
  },
  "image-not-found": {
    meaning: "A registry has no such image, tag, blob or repository, or does not show it to you.",
    remedy: "Check the name with `slipway image ls`; some registries answer the same for what you may not read.",
  },
  "registry-unreachable": {
    meaning: "A registry does not answer.",
    remedy: "Check its name, the network and the proxy variables; `slipway doctor` tries it.",
  },
  "registry-tls": {
    meaning:
      "The TLS connection to a registry failed: certificate, client certificate, or a registry that speaks plain HTTP.",
    remedy: "Set `ca`, a client certificate or `plainHttp` for the registry; docs/registries.md shows how.",
  },
  "registry-login": {
    meaning: "A registry or its token service refused the credential, or wants one.",
    remedy: "Add one with `slipway credentials add`; `slipway credentials test` tries it.",
  },
  "token-service-untrusted": {
    meaning:
      "A registry names a token service that must not get the credential: in another domain, or not reached by https.",
    remedy: "If it belongs to the registry, name it with `tokenService`; docs/registries.md shows how.",
  },
  "registry-refused": {
    meaning: "A registry refused a request for another reason than the credential.",
    remedy: "The error quotes the registry; check the name of the repository.",
  },
  "registry-unsupported": {
    meaning: "A registry does not support what was asked of it, such as deletion.",
    remedy: "Whoever runs the registry may be able to turn it on.",
  },
  "registry-full": {
    meaning: "A registry has no room left.",
    remedy: "Free space there; for the embedded registry run `slipway registry gc`.",
  },
  "registry-failed": {
    meaning: "A registry failed, or broke the protocol: it sent damaged content or an address that makes no sense.",
    remedy: "Try again later; if it stays, tell whoever runs the registry.",
  },
  "embedded-registry": {
    meaning:
      "The embedded registry of this machine is not running, does not start, or is in the wrong state for a command.",
    remedy: "`slipway registry status` tells its state, and the error names its log.",
  },
  "proxy-invalid": {
    meaning: "A proxy variable does not hold the URL of an HTTP proxy.",
    remedy: "Write http://HOST:PORT or https://HOST:PORT, or unset it.",
  },

  // Credentials and secrets
  "credential-invalid": {
    meaning: "A credential, its source, or its name is not usable.",
    remedy: "`slipway credentials list` shows where each one comes from; correct it there.",
  },
  "credential-not-found": {
    meaning: "There is no credential of that name or for that URL.",
    remedy: "Add it with `slipway credentials add`.",
  },
  "server-unreachable": {
    meaning: "A git or download server does not answer when `slipway credentials test` tries a credential.",
    remedy: "Check its name, the network and the proxy variables.",
  },
  "secret-not-found": {
    meaning: "There is no secret of that name.",
    remedy: "Add it with `slipway secret set`.",
  },

  // Builds
  "layer-conflict": {
    meaning: "Two files want the same path in a layer or image, or a path cannot be in one.",
    remedy: "Remove or rename one of them.",
  },
  "platform-mismatch": {
    meaning: "A program or library in an image is for another platform than the image.",
    remedy: "Use the file for the image's platform, or exclude it with `excludes`.",
  },
  "target-invalid": {
    meaning: "A Bazel target lacks what Slipway needs of it.",
    remedy: "Change the target that the error names, or build it again.",
  },
  "package-not-found": {
    meaning: "A package, a version of it, or the component that has it is not in the repository or index.",
    remedy: "Check the name and the version, and make the lock again.",
  },
  "repository-failed": {
    meaning: "A repository or index of packages does not answer, or what it sent is damaged or not signed.",
    remedy: "Check the network, the address and the key.",
  },
  "mirror-invalid": {
    meaning: "No Debian mirror is known for a suite, or the address of the mirror cannot be used.",
    remedy:
      "Set `mirror` of `base_images.debian` or `--mirror`, such as https://HOST/debian; put passwords into ~/.netrc.",
  },
  "lock-outdated": {
    meaning: "A lock file is missing, or what it was made from has changed.",
    remedy: "Make it again with the command in the error.",
  },

  // Code, environments, jobs
  "git-not-found": {
    meaning: "A git server has no such repository, branch or commit, or does not show it to you.",
    remedy: "Check the URL and the name; add a credential with `slipway credentials add`.",
  },
  "git-login": {
    meaning: "A git server refused the password or SSH key, or wants one.",
    remedy: "Add one with `slipway credentials add --service git`.",
  },
  "git-unreachable": {
    meaning: "A git server does not answer, or its certificate or SSH host key is not trusted.",
    remedy: "Check the address, the network and the proxy; the error says which certificate or key is not trusted.",
  },
  "git-failed": {
    meaning: "git, or the server that it spoke to, failed.",
    remedy: "The error has git's last words.",
  },
  "code-invalid": {
    meaning:
      "The code of a job or service cannot be used as it is: a path leads out of it, a file is missing, it is too large.",
    remedy: "Change the code or the field that names it.",
  },
  "requirement-unpinned": {
    meaning: "A requirement of a Python environment has no hash, so that the installed files could change.",
    remedy: "Lock the file with `slipway python lock`, or take the package from an index.",
  },
  "environment-failed": {
    meaning: "The packages of a Python or conda environment could not be locked or installed.",
    remedy: "The error has the last words of the installer.",
  },
  "value-invalid": {
    meaning: "The arguments or the result of a function are not JSON, or are too large.",
    remedy: "Pass plain data. Store large data where both sides can read it, and pass its name.",
  },
  "function-failed": {
    meaning: "A function could not be called, or its program ended without a result.",
    remedy: "Read what it printed; `.local()` runs it in this process.",
  },
  "job-not-found": {
    meaning: "There is no job of that identifier.",
    remedy: "`slipway job ls` lists the jobs.",
  },
  "job-state": {
    meaning: "A job is not in the state that a command needs: it has ended, or has not.",
    remedy: "`slipway job status` tells its state.",
  },
  "job-failed": {
    meaning: "A job or container could not start, or failed.",
    remedy: "Read its log with `slipway job logs`.",
  },

  // Engines and services
  "engine-unavailable": {
    meaning: "podman, docker or Kubernetes is missing here, does not work, or cannot do what was asked.",
    remedy: "`slipway doctor` tells which engines work.",
  },
  "cluster-unreachable": {
    meaning: "The API server of a Kubernetes cluster does not answer, or the kubeconfig is not usable.",
    remedy: "Check the context and the network: `kubectl cluster-info` has to work.",
  },
  "cluster-login": {
    meaning: "A Kubernetes cluster refused the credential of the kubeconfig, or the kubeconfig gives none.",
    remedy: "Log in to the cluster again: `kubectl cluster-info` has to work.",
  },
  "cluster-refused": {
    meaning: "A Kubernetes cluster refused a request: rights, a quota, or an invalid object.",
    remedy: "The error quotes the cluster; docs/kubernetes.md lists the rights that Slipway needs.",
  },
  "image-pull-failed": {
    meaning: "An engine cannot pull an image.",
    remedy:
      "The error quotes the engine; check the name, the credential, and that the registry is reachable from there.",
  },
  "service-not-found": {
    meaning: "There is no service of that name.",
    remedy: "`slipway service ls` lists the services.",
  },
  "service-not-ready": {
    meaning: "A service did not get ready in time, or its program ends.",
    remedy: "Read its log with `slipway service logs`.",
  },
  "service-conflict": {
    meaning: "Something that was not made by Slipway, or belongs to another owner, is in the way of a service.",
    remedy: "Rename the service, or remove what is in the way.",
  },
  "model-not-found": {
    meaning: "There is no such model, version or model registry.",
    remedy: "`slipway model ls` lists the models.",
  },
  "model-invalid": {
    meaning: "A folder cannot become a model, or what a registry has under that name is damaged or not a model.",
    remedy: "Correct the file that the error names and push the model again.",
  },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>;

export type ErrorCode = keyof typeof errorCodes;
