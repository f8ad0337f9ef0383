import type { PasswordCredential } from "./credential.ts";

/**
 * Reads a user name and a password, a line each (SPEC section 3). Line ends alone are no part of them: spaces are.
 *
 * @param fail throws the error for a file of another shape, given what is wrong with it
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
