/** A word as a POSIX shell reads it: in single quotes, unless nothing in it means something to a shell. */
export function shellQuote(word: string): string {
  return /^[\w@%+=:,./-][\w@%+=:,./#-]*$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
