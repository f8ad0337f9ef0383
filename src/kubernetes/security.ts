/** The pod security standard "restricted". The image must have a numeric user that is not root. */
export const podSecurity = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } as const;

export const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
} as const;

/** Escapes `$`, because a pod replaces `$(NAME)` in arguments. */
export function literally(words: readonly string[]): string[] {
  return words.map((word) => word.replaceAll("$", "$$$$"));
}
