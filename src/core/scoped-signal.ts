/** A signal that aborts with another one, and when its scope ends. */
export function scopedSignal(outer?: AbortSignal): { readonly signal: AbortSignal } & Disposable {
  const over = new AbortController();
  const signal = outer ? AbortSignal.any([outer, over.signal]) : over.signal;
  return { signal, [Symbol.dispose]: () => over.abort() };
}
