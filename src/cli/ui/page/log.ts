/// <reference lib="dom" />
import { type ComponentChild, h } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** Older characters are dropped. */
const mostShown = 200_000;
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, "g");

/** Stays at the end while the reader is there. */
export function Log({ text, label }: { readonly text: string; readonly label: string }): ComponentChild {
  const box = useRef<HTMLPreElement>(null);
  const isAtEnd = useRef(true);
  useEffect(() => {
    if (box.current && isAtEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, [text]);
  return h(
    "pre",
    {
      ref: box,
      class: "scroll log",
      tabIndex: 0,
      role: "log",
      "aria-live": "off",
      "aria-label": label,
      onScroll: ({ currentTarget: { scrollTop, scrollHeight, clientHeight } }: { currentTarget: HTMLPreElement }) => {
        isAtEnd.current = scrollTop + clientHeight > scrollHeight - 30;
      },
    },
    [text.slice(-mostShown).replace(colours, "") || "Nothing was printed."],
  );
}
