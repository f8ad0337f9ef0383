import type { PasswordCredential } from "./credential.ts";

/**
 * Reads a user name and a password, one per line (SPEC section 3). Removes line ends, but keeps spaces.
 *
 * @param fail throws the error for an invalid file, given the problem
 */
export function parseTwoLines(text: string, fail: (problem: string) => never): PasswordCredential {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === "") lines.pop();
  const [username, password] = lines;
  if (username === undefined || password === undefined || lines.length !== 2) {
    return fail(
      `must have exactly two lines, the user name and the password, and has ${lines.length === 1 ? "1 line" : `${lines.length} lines`}`,
    );
  }
  return { kind: "password", username, password };
}
