/** Brings the message that an address names into sight, once. */
import { useLayoutEffect } from "preact/hooks";

/** @param seq of the message; `null` as long as it is not there */
export function useTarget(scroller: { current: HTMLElement | null }, seq: number | null): void {
  useLayoutEffect(() => {
    if (seq === null) return;
    scroller.current?.querySelector(`[data-seq="${seq}"]`)?.scrollIntoView({ block: "center" });
  }, [seq]);
}
