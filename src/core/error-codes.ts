/**
 * Every code of a UserError or Failure. The page docs/reference/errors.md is generated from it. Codes do not change their meaning; a code that
 * is no longer used is removed.
 *
 * `meaning`: when it happens, one sentence. `remedy`: what usually helps, one or two sentences. The error itself is more exact.
 */
export const errorCodes = {
  // Command line, files and settings
  "command-line-invalid": {
    meaning: "A command or an option does not exist, lacks a value, or has an invalid value.",
    remedy: "Add `--help` to the command: it lists the arguments and options.",
  },
  "file-unreadable": {
    meaning: "A file or folder that you named is missing or cannot be read.",
    remedy: "Check the path, and that your user has permission to read it.",
  },
  "file-unwritable": {
    meaning: "A file or folder cannot be written.",
    remedy:
      "Check its permissions and the free space, or choose another folder: XDG_CACHE_HOME, XDG_CONFIG_HOME, XDG_STATE_HOME.",
  },
  "file-invalid": {
    meaning: "A file has the wrong syntax or format, is too large, or is cut short.",
    remedy: "Correct it at the line and column that the error names.",
  },
  "field-invalid": {
    meaning: "A field of a job, a service or a configuration file is unknown, missing, or has an invalid value.",
    remedy:
      "Correct the field that the error names. `slipway job schema` prints the schema of jobs; docs/service-spec.md describes services.",
  },
  "variable-invalid": {
    meaning: "An environment variable has an invalid name or value.",
    remedy: "Correct or unset it; docs/environment.md lists the variables that Slipway reads.",
  },
  "folder-unsafe": {
    meaning: "Other users can change or read a folder or file that must be private.",
    remedy: "Remove it, or make it private with `chown` and `chmod 700` (files: `chmod 600`).",
  },
  "started-by-hand": {
    meaning: "A program that Bazel or another tool starts was started by hand.",
    remedy: "Start the target with `bazel run`, or let the tool start it.",
  },
  "installation-failed": {
    meaning: "`slipway install` or `slipway init` failed.",
    remedy: "The error names the reason. No file was left half-written.",
  },

  // Programs that Slipway starts
  "program-missing": {
    meaning: "A program that this command needs is not on PATH.",
    remedy: "`slipway doctor` names the command that installs it.",
  },
  "program-failed": {
    meaning: "A program that Slipway started failed.",
    remedy: "The error quotes the end of its output. Run it yourself to see the rest.",
  },

  // Images and registries
  "reference-invalid": {
    meaning: "A text is not a valid image reference, digest, platform, model ID or registry name.",
    remedy: "Write REGISTRY/REPOSITORY:TAG or REGISTRY/REPOSITORY@sha256:DIGEST; a platform as linux/amd64.",
  },
  "image-unpinned": {
    meaning: "An image reference has no digest, so the image could change.",
    remedy: "Add the digest. The error contains it if it is known.",
  },
  "image-invalid": {
    meaning: "An image, an index or a layer is damaged, or does not match its manifest.",
    remedy: "Push or build the image again, or use another one.",
  },
  "image-unsuitable": {
    meaning: "An image cannot be used here: it has the wrong platform, lacks a program, or is not a container image.",
    remedy: "Use another image. `slipway image inspect` shows the platform and the programs of an image.",
  },
  "image-not-found": {
    meaning: "A registry has no such image, tag, blob or repository, or you may not read it.",
    remedy: "Check the name with `slipway image ls`, and your credential: some registries hide what you may not read.",
  },
  "push-incomplete": {
    meaning: "Some images of a push of several were not pushed.",
    remedy: "Slipway reports each failure before. Correct them and push again: only what is missing is sent.",
  },
  "registry-unreachable": {
    meaning: "A registry does not answer.",
    remedy: "Check its name, the network and the proxy variables; `slipway doctor` tries it.",
  },
  "registry-unasked": {
    meaning: "The page of `slipway ui` was asked for an image of a registry that none of your runs names.",
    remedy: "Write the name of the image into the form of the page, if you trust the registry.",
  },
  "registry-tls": {
    meaning:
      "The TLS connection to a registry failed: certificate, client certificate, or a registry that speaks plain HTTP.",
    remedy: "Set `ca`, a client certificate or `plainHttp` for the registry; docs/registries.md shows how.",
  },
  "registry-login": {
    meaning: "A registry or its token service refused the credential, or requires one.",
    remedy: "Add one with `slipway credentials add`; `slipway credentials test` tries it.",
  },
  "token-service-untrusted": {
    meaning:
      "A registry names a token service in another domain or without https, so Slipway does not send it the credential.",
    remedy: "If it belongs to the registry, name it with `tokenService`; docs/registries.md shows how.",
  },
  "registry-refused": {
    meaning: "A registry refused a request for another reason than the credential.",
    remedy: "The error quotes the registry; check the name of the repository.",
  },
  "registry-unsupported": {
    meaning: "A registry does not support an operation, such as deletion.",
    remedy: "Ask the administrator of the registry to turn it on.",
  },
  "registry-full": {
    meaning: "A registry has no disk space left.",
    remedy: "Free space there; for the embedded registry run `slipway registry gc --now`.",
  },
  "registry-failed": {
    meaning: "A registry failed, or broke the protocol: it sent damaged content or an address that makes no sense.",
    remedy: "Try again later. If the error persists, tell the administrator of the registry.",
  },
  "embedded-registry": {
    meaning:
      "The embedded registry of this machine is not running, does not start, or is in the wrong state for a command.",
    remedy: "`slipway registry status` shows its state. The error names its log.",
  },
  "remote-cache-failed": {
    meaning: "A cache of build outputs does not answer, refuses access, or sends damaged content.",
    remedy:
      "Check the build setting `remote_cache` and `remoteCaches` in the configuration file; docs/remote-caches.md shows how.",
  },
  "layer-evicted": {
    meaning: "The cache of build outputs no longer has a layer that a registry or container engine lacks.",
    remedy: "Build the target with `--output_groups=+layers`, which brings its layers back, and run it again.",
  },
  "proxy-invalid": {
    meaning: "A proxy variable does not hold the URL of an HTTP proxy.",
    remedy: "Write http://HOST:PORT or https://HOST:PORT, or unset it.",
  },

  // Signatures
  "signature-missing": {
    meaning: "An image must have a signature, but it has none by the right key.",
    remedy: "Sign it with `slipway image sign`; docs/signatures.md shows how.",
  },
  "signature-invalid": {
    meaning: "An image has signatures, but none is valid: they are by another key, sign another image, or are damaged.",
    remedy: "Check that the image and the public key are the right ones, then sign the image again.",
  },
  "key-invalid": {
    meaning:
      "A key for signatures cannot be used: it has the wrong format or type, or the password does not decrypt it.",
    remedy: "Name a key in PEM, and put the password of an encrypted one into SLIPWAY_KEY_PASSWORD.",
  },
  "sbom-not-found": {
    meaning: "No SBOM is attached to an image, or not in the format that you chose.",
    remedy: "`slipway image referrers` lists what is attached; docs/registry-images.md explains it.",
  },
  "sbom-ambiguous": {
    meaning: "An image has several SBOMs that differ, and no key of yours has signed one.",
    remedy: "Name the key of the right one with `--key`, or choose one with `--digest`; docs/sbom.md explains it.",
  },
  "sigstore-failed": {
    meaning: "A service of Sigstore does not answer, refuses the identity, or the identity is missing.",
    remedy: "Check the network and the identity token, or sign with a key.",
  },

  // Credentials and secrets
  "credential-invalid": {
    meaning: "A credential, its source, or its name is not usable.",
    remedy: "`slipway credentials list` shows where each one comes from; correct it there.",
  },
  "credential-not-found": {
    meaning: "There is no credential with this name or for this URL.",
    remedy: "Add it with `slipway credentials add`.",
  },
  "server-unreachable": {
    meaning: "A git or download server does not answer when `slipway credentials test` tries a credential.",
    remedy: "Check its name, the network and the proxy variables.",
  },
  "secret-not-found": {
    meaning: "There is no secret with this name.",
    remedy: "Add it with `slipway secret set`.",
  },

  // Builds
  "layer-conflict": {
    meaning: "Two files have the same path in a layer or image, or a path is invalid there.",
    remedy: "Remove or rename one of them.",
  },
  "platform-mismatch": {
    meaning: "A program or library in an image is for another platform than the image.",
    remedy: "Use the file for the image's platform, or exclude it with `excludes`.",
  },
  "target-invalid": {
    meaning: "A Bazel target lacks something that Slipway needs, such as a dependency.",
    remedy: "Change the target that the error names, or build it again.",
  },
  "package-not-found": {
    meaning: "A package, a version of it, or the component that has it is not in the repository or index.",
    remedy: "Check the name and the version, and make the lock again.",
  },
  "repository-failed": {
    meaning: "A package repository does not answer, or its files are damaged or not signed.",
    remedy: "Check the network, the address and the key.",
  },
  "mirror-invalid": {
    meaning: "No Debian mirror is known for a suite, or the address of the mirror cannot be used.",
    remedy:
      "Set `mirror` of `base_images.debian` or `--mirror`, such as https://HOST/debian; put passwords into ~/.netrc.",
  },
  "lock-outdated": {
    meaning: "A lock file is missing, or does not match its sources any more.",
    remedy: "Make it again with the command in the error.",
  },

  // Code, environments, jobs
  "git-not-found": {
    meaning: "A git server has no such repository, branch or commit, or you may not read it.",
    remedy: "Check the URL and the name; add a credential with `slipway credentials add`.",
  },
  "git-login": {
    meaning: "A git server refused the password or SSH key, or requires one.",
    remedy: "Add one with `slipway credentials add --service git`.",
  },
  "git-unreachable": {
    meaning: "A git server does not answer, or its certificate or SSH host key is not trusted.",
    remedy: "Check the address, the network and the proxy; the error says which certificate or key is not trusted.",
  },
  "git-failed": {
    meaning: "git or a git server failed.",
    remedy: "The error quotes the end of git's output.",
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
    remedy: "The error quotes the end of the installer's output.",
  },
  "volume-unusable": {
    meaning: "A volume of a job or a function is not there, or its engine cannot mount it.",
    remedy: "Make the folder, the volume or the claim, or run it on an engine that has it.",
  },
  "value-invalid": {
    meaning:
      "An option of a function is unknown or invalid, or its arguments or result are not JSON, or are too large.",
    remedy: "Correct the option. Pass plain data, and large data as `file(path)`.",
  },
  "content-lost": {
    meaning: "The content of a function's file, folder or large value is gone or damaged.",
    remedy: "Call the function that made it again. With `keep`, it runs again by itself.",
  },
  "function-failed": {
    meaning: "A function could not be called, or its program ended without a result.",
    remedy: "Read what it printed; `.local()` runs it in this process.",
  },
  "job-not-found": {
    meaning: "There is no job with this ID.",
    remedy: "`slipway job ls` lists the jobs.",
  },
  "job-state": {
    meaning: "A job is in the wrong state for a command: it has ended, or it still runs.",
    remedy: "`slipway job status` shows its state.",
  },
  "job-failed": {
    meaning: "A job or container could not start, or failed.",
    remedy: "Read its log with `slipway job logs`.",
  },

  // Engines and services
  "engine-unavailable": {
    meaning: "podman, docker or Kubernetes is missing, does not work, or lacks a feature.",
    remedy: "`slipway doctor` lists the engines that work.",
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
    meaning: "There is no service with this name.",
    remedy: "`slipway service ls` lists the services.",
  },
  "service-not-ready": {
    meaning: "A service was not ready in time, or its program ended.",
    remedy: "Read its log with `slipway service logs`.",
  },
  "port-taken": {
    meaning: "A port of this machine is not free, or your user may not open it.",
    remedy: "Choose another port.",
  },
  "service-state": {
    meaning: "A service is in the wrong state for a command: it is disabled, or it has no port.",
    remedy: "`slipway service status` shows its state.",
  },
  "revision-not-found": {
    meaning: "A service has no such revision, or the revision cannot run any more.",
    remedy: "`slipway service history` lists the revisions.",
  },
  "service-conflict": {
    meaning: "A service would replace something that Slipway did not create, or that belongs to another owner.",
    remedy: "Rename the service, or remove the other object.",
  },
  "model-not-found": {
    meaning: "There is no such model, version or model registry.",
    remedy: "`slipway model ls` lists the models.",
  },
  "model-invalid": {
    meaning: "A folder cannot become a model, or the artifact in a registry is damaged or not a model.",
    remedy: "Correct the file that the error names and push the model again.",
  },
  "run-not-found": {
    meaning: "No run of this user is recorded under such a name.",
    remedy: "`slipway runs ls` lists them.",
  },
  "results-not-found": {
    meaning: "A repository has no kept results of such a function or run.",
    remedy: "`slipway results ls` lists them.",
  },
} as const satisfies Record<string, { readonly meaning: string; readonly remedy: string }>;

export type ErrorCode = keyof typeof errorCodes;
