import { UserError } from "../../src/core/errors.ts";

const dynamicVersion = /^# A release has .*\ndynamic = \["version"\]$/m;

/**
 * pyproject.toml of a release: with its version.
 *
 * @throws UserError when the file has not the lines that this goes by
 */
export function stampPyproject(text: string, version: string): string {
  if (!dynamicVersion.test(text)) {
    throw new UserError(
      { code: "file-invalid", culprit: "pyproject.toml" },
      'pyproject.toml has no line dynamic = ["version"] under "# A release has …".',
      "Put them back, or change tools/release/python.ts with them.",
    );
  }
  return text.replace(dynamicVersion, () => `version = ${JSON.stringify(version)}`);
}

/**
 * Core metadata of the Python package (PyPA, version 2.1), as pyproject.toml describes it, with the README as its
 * description.
 *
 * @throws UserError for a field that is missing there
 */
export function metadata(project: string, readme: string, version: string): string {
  const field = (pattern: RegExp): string => {
    const value = pattern.exec(project)?.[1];
    if (value === undefined)
      throw new UserError(
        { code: "file-invalid", culprit: "pyproject.toml" },
        `pyproject.toml has nothing like ${pattern.source}.`,
        "Add the field.",
      );
    return value;
  };
  const classifiers = [...field(/^classifiers = \[(.*)\]$/m).matchAll(/"([^"]*)"/g)];
  return [
    "Metadata-Version: 2.1",
    `Name: ${field(/^name = "(.*)"$/m)}`,
    `Version: ${version}`,
    `Summary: ${field(/^description = "(.*)"$/m)}`,
    `License: ${field(/^license = \{ text = "(.*)" \}$/m)}`,
    ...classifiers.map(([, classifier]) => `Classifier: ${classifier}`),
    `Requires-Python: ${field(/^requires-python = "(.*)"$/m)}`,
    "License-File: LICENSE",
    "Description-Content-Type: text/markdown",
    "",
    readme,
  ].join("\n");
}
