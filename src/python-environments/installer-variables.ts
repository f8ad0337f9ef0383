import type { Environment } from "../core/environment.ts";

/** The user's variables that installers need: proxies, configuration, caches. */
const kept =
  /^(PATH|HOME|USER|LOGNAME|LANG|LC_[A-Z]+|XDG_[A-Z_]+|PIP_\w+|CONDA_\w+|MAMBA_\w+|CONDARC|MAMBARC|https?_proxy|no_proxy|all_proxy|HTTPS?_PROXY|NO_PROXY|ALL_PROXY|SSL_CERT_(FILE|DIR)|REQUESTS_CA_BUNDLE|CURL_CA_BUNDLE|NETRC)$/;

/** Variables that would change what is installed, or where. */
const refused =
  /^(PIP_(TARGET|PREFIX|ROOT|USER|SRC|EDITABLE|REQUIREMENT|CONSTRAINT|PYTHON|PLATFORM|ABI|IMPLEMENTATION|PYTHON_VERSION|NO_BINARY|ONLY_BINARY|NO_DEPS|DRY_RUN|REPORT|REQUIRE_VIRTUALENV|LOG)|CONDA_(PREFIX|DEFAULT_ENV|SHLVL|PROMPT_MODIFIER|PYTHON_EXE|EXE|CREATE_DEFAULT_PACKAGES)\w*|MAMBA_(EXE|DEFAULT_ENV)|CONDA_SUBDIR)$/;

/** Variables of an installer, without those that change what is installed. */
export function installerVariables(env: Environment, temporary: string): Record<string, string> {
  const own = Object.entries(env).filter(
    (entry): entry is [string, string] => entry[1] !== undefined && kept.test(entry[0]) && !refused.test(entry[0]),
  );
  return {
    ...Object.fromEntries(own),
    TMPDIR: temporary,
    PIP_USER: "0",
    PIP_REQUIRE_VIRTUALENV: "0",
    PIP_NO_INPUT: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    PYTHONDONTWRITEBYTECODE: "1",
    CONDA_ALWAYS_YES: "true",
    MAMBA_ALWAYS_YES: "true",
  };
}

export function withoutPasswords(said: string): string {
  return said.replaceAll(/(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi, "$1");
}
