import { userInfo } from "node:os";

/** The user's name, or the user ID if there is no name, as in containers with an arbitrary user. */
export function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return String(process.getuid?.());
  }
}
