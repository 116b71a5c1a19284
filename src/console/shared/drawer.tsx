/** A panel over the page, for what one looks at and closes again. The browser keeps the focus inside, and Escape closes it. */
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

interface DrawerProps {
  title: string;
  onClose: () => void;
  /** Whether texts stand beside each other in it. */
  isWide?: boolean;
  /** Whether a click beside it closes it too. Not where it shows what cannot be seen again. */
  closesOutside?: boolean;
  children: ComponentChildren;
}

export function Drawer({ title, onClose, isWide = false, closesOutside = true, children }: DrawerProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class={isWide ? "drawer drawer-wide" : "drawer"}
      aria-label={title}
      onClose={onClose}
      onClick={(event) => closesOutside && event.target === event.currentTarget && event.currentTarget.close()}
    >
      <div class="drawer-inside">
        <header class="drawer-head">
          <h2>{title}</h2>
          <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </header>
        <div class="drawer-body" tabIndex={0} role="region" aria-label={`${title}, content`}>
          {children}
        </div>
      </div>
    </dialog>
  );
}
