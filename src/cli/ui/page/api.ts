/// <reference lib="dom" />
import { useEffect, useRef, useState } from "preact/hooks";
import type { Answers, LiveMessages } from "../messages.ts";

const key = "token";
/** Milliseconds until the next attempt. */
const pauses = { lost: 1000, refused: 5000 };

export function takeToken(): void {
  const token = /^#token=([\w-]+)$/.exec(location.hash)?.[1];
  if (token === undefined) return;
  // The session storage belongs to this tab and this port alone.
  sessionStorage.setItem(key, token);
  history.replaceState(null, "", "/#/runs");
}

type Words = Readonly<Record<string, string>>;

function ask(path: string, words: Words, options: RequestInit = {}): Promise<Response> {
  const authorization = `Bearer ${sessionStorage.getItem(key) ?? ""}`;
  return fetch(`/api/${path}?${new URLSearchParams(words)}`, { ...options, headers: { authorization } });
}

export async function get<Answer>(path: string, words: Words, method = "GET"): Promise<Answer> {
  const response = await ask(path, words, { method });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

interface Listener<Message> {
  readonly onMessage: (message: Message) => void;
  readonly onStart?: () => void;
}

/** The server answered, for example, that a cluster does not. */
class Refused extends Error {}

async function listen<Message>(
  path: string,
  of: string,
  { onMessage, onStart }: Listener<Message>,
  signal: AbortSignal,
): Promise<void> {
  const response = await ask(`live/${path}`, { of }, { signal });
  if (!response.ok || !response.body) throw new Refused((await response.json()).error);
  onStart?.();
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error("lost");
    const parts = (text + value).split("\n\n");
    text = parts.pop() ?? "";
    for (const part of parts) {
      if (!part.startsWith("data: ")) continue;
      const message = JSON.parse(part.slice("data: ".length));
      if ("end" in message && message.end === true) return;
      if ("error" in message) throw new Refused(message.error);
      onMessage(message);
    }
  }
}

/** `of` names the run or job. @returns why nothing comes */
export function useLive<Name extends keyof LiveMessages>(
  name: Name,
  of: string,
  listener: Listener<LiveMessages[Name]>,
): string {
  const [problem, setProblem] = useState("");
  const latest = useRef(listener);
  latest.current = listener;
  useEffect(() => {
    const leave = new AbortController();
    const again = async (): Promise<void> => {
      const own: Listener<LiveMessages[Name]> = {
        onMessage: (message) => {
          setProblem("");
          latest.current.onMessage(message);
        },
        onStart: () => latest.current.onStart?.(),
      };
      try {
        await listen(name, of, own, leave.signal);
      } catch (error) {
        if (leave.signal.aborted) return;
        const isRefused = error instanceof Refused;
        setProblem(
          isRefused ? error.message : "`slipway ui` does not answer. Start it again, and open the link that it prints.",
        );
        setTimeout(() => leave.signal.aborted || again(), isRefused ? pauses.refused : pauses.lost);
      }
    };
    void again();
    return () => leave.abort();
  }, [name, of]);
  return problem;
}

export function useAnswer<Name extends keyof Answers>(
  name: Name,
  words: Words | undefined,
): { readonly answer?: Answers[Name]; readonly problem?: string } {
  const [found, setFound] = useState<{ readonly answer?: Answers[Name]; readonly problem?: string }>({});
  const asked = JSON.stringify(words);
  useEffect(() => {
    let isThere = true;
    setFound({});
    const set = (value: typeof found) => isThere && setFound(value);
    if (asked !== undefined) {
      get<Answers[Name]>(name, JSON.parse(asked)).then(
        (answer) => set({ answer }),
        (error: Error) => set({ problem: error.message }),
      );
    }
    return () => {
      isThere = false;
    };
  }, [name, asked]);
  return found;
}
