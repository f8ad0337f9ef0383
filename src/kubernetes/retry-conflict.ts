import { refusalOf } from "./api-error.ts";

/** Repeats what a server refused because the object has changed since it was read. */
export async function retryConflict<Result>(
  act: () => Promise<Result>,
  attempts = 10,
  statuses: readonly (number | undefined)[] = [409],
): Promise<Result> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await act();
    } catch (error) {
      if (!statuses.includes(refusalOf(error)?.status) || attempt >= attempts) throw error;
    }
  }
}
