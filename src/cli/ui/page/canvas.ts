/// <reference lib="dom" />
import { type ComponentChild, type ComponentChildren, h } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";

export type Palette = Readonly<Record<`--${string}`, string>> & { readonly isDark: boolean };

const dark = matchMedia("(prefers-color-scheme: dark)");

function paletteNow(): Palette {
  const style = getComputedStyle(document.documentElement);
  const names = ["--ink", "--dim", "--paper", "--line", "--waiting", "--running", "--done", "--failed", "--kept"];
  return {
    ...Object.fromEntries(names.map((name) => [name, style.getPropertyValue(name).trim()])),
    isDark: dark.matches,
  };
}

/** Follows a change from light to dark. */
export function usePalette(): Palette {
  const [palette, setPalette] = useState(paletteNow);
  useEffect(() => {
    const onChange = () => setPalette(paletteNow());
    dark.addEventListener("change", onChange);
    return () => dark.removeEventListener("change", onChange);
  }, []);
  return palette;
}

/** The canvas has as many dots as the screen. Drawing goes by the page's pixels. */
export function clear(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const scale = devicePixelRatio;
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  context.setTransform(scale, 0, 0, scale, 0, 0);
  context.clearRect(0, 0, width, height);
  return context;
}

/** Stays inside the window. */
export function Tip({
  x,
  y,
  children,
}: {
  readonly x: number;
  readonly y: number;
  readonly children: ComponentChildren;
}): ComponentChild {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (!box.current) return;
    const { width, height } = box.current.getBoundingClientRect();
    const left = x + 14 + width > innerWidth ? x - width - 10 : x + 14;
    const top = y + 18 + height > innerHeight ? y - height - 10 : y + 18;
    Object.assign(box.current.style, { left: `${Math.max(4, left)}px`, top: `${Math.max(4, top)}px` });
  });
  return h("div", { ref: box, class: "tip" }, children);
}
