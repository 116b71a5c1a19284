/**
 * Keeps a place of something that grows in sight: what the address names, until one does something, and otherwise the end, until
 * one scrolls up.
 */
import { useLayoutEffect } from "preact/hooks";
import { atNextFrame } from "./frames.ts";

/** How near to its end one still wants to follow, in pixels. */
const NEAR = 80;

/** What one does. A scroll event alone may come from here. */
const INPUTS = ["wheel", "touchmove", "pointerdown", "keydown"] as const;

/** @param target selector of what the address names, which may come later; `null` for nothing */
export function useFollowedPlace(
  scroller: { current: HTMLDivElement | null },
  shown: object,
  target: string | null,
): void {
  useLayoutEffect(() => {
    const element = scroller.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return;
    let seeks = target !== null;
    let followsEnd = !seeks;
    const onScroll = () => {
      followsEnd = !seeks && element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    };
    const onInput = () => {
      seeks = false;
      onScroll();
    };
    const onGrowth = () => {
      if (seeks) element.querySelector(target ?? "")?.scrollIntoView({ block: "center", inline: "center" });
      else if (followsEnd) element.scrollTop = element.scrollHeight;
    };
    const observer = new ResizeObserver(() => atNextFrame(onGrowth));
    observer.observe(inside);
    element.addEventListener("scroll", onScroll, { passive: true });
    for (const name of INPUTS) addEventListener(name, onInput, { passive: true, once: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
      for (const name of INPUTS) removeEventListener(name, onInput);
    };
  }, [shown, target]);
}
