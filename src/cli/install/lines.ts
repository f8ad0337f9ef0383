import { shellQuote } from "../../core/shell-quote.ts";
export function configurationLines(folder: string, isOnPath: boolean): string {
  const path = isOnPath ? "" : `First let the tools find it: export PATH=${shellQuote(folder)}:$PATH\n\n`;
  return `${path}docker, crane (~/.docker/config.json):
  {"credsStore": "slipway"}
  for one registry: {"credHelpers": {"registry.example.com": "slipway"}}

podman, skopeo, buildah (~/.config/containers/registries.conf; in /etc/containers, files of registries.conf.d undo it):
  credential-helpers = ["containers-auth.json", "slipway"]

git:
  git config --global credential.helper ${shellQuote(`${folder}/git-credential-slipway`)}
  git config --global credential.useHttpPath true     (where credentials are for a part of a host)
  git config --global core.sshCommand ${shellQuote(`${folder}/git-ssh-slipway`)}

Bazel (.bazelrc or ~/.bazelrc):
  common --credential_helper=${folder}/bazel-credential-slipway
  for one host: common --credential_helper=*.example.com=${folder}/bazel-credential-slipway
`;
}
