/** The security context of every pod of Slipway: the pod security standard "restricted". The image must name a user by number that is not root. */
export const podSecurity = { runAsNonRoot: true, seccompProfile: { type: "RuntimeDefault" } } as const;

/** The same for each of its containers. */
export const containerSecurity = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
} as const;

/** Arguments as a pod has them: in them `$(NAME)` would be replaced. */
export function literally(words: readonly string[]): string[] {
  return words.map((word) => word.replaceAll("$", "$$$$"));
}
