/** Keeps the end of something that grows in sight, until one scrolls up. */
import { useLayoutEffect } from "preact/hooks";
import { atNextFrame } from "./frames.ts";

/** How near to its end one still wants to follow, in pixels. */
const NEAR = 80;

/** Scrolls to the end when there is more, unless one has scrolled up. */
export function useFollowedEnd(scroller: { current: HTMLDivElement | null }, shown: object): void {
  useLayoutEffect(() => {
    const element = scroller.current;
    const inside = element?.firstElementChild;
    if (!element || !inside) return;
    let follows = true;
    const onScroll = () => {
      follows = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    };
    const toEnd = () => {
      if (follows) element.scrollTop = element.scrollHeight;
    };
    const observer = new ResizeObserver(() => atNextFrame(toEnd));
    observer.observe(inside);
    element.addEventListener("scroll", onScroll, { passive: true });
    return () => {
      observer.disconnect();
      element.removeEventListener("scroll", onScroll);
    };
  }, [shown]);
}
