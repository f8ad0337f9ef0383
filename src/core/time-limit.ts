/** Milliseconds that a timer of Node waits at most; a longer one ends at once. */
const longest = 2 ** 31 - 1;

/** Aborts after so many seconds, also after more than the 24 days of one timer. */
export function timeLimitSignal(seconds: number): AbortSignal {
  const milliseconds = seconds * 1000;
  if (milliseconds <= longest) return AbortSignal.timeout(milliseconds);
  const late = new AbortController();
  const wait = (left: number) => {
    const end = () => (left > longest ? wait(left - longest) : late.abort(new DOMException("", "TimeoutError")));
    setTimeout(end, Math.min(left, longest)).unref();
  };
  wait(milliseconds);
  return late.signal;
}
