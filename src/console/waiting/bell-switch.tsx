/** Switches the bell on. It is off until somebody does that, in each browser. */
import { useState } from "preact/hooks";
import { useKept } from "../shared/storage.ts";
import { mayNotify, playTones } from "./bell.ts";
import { BELL_KEPT_AS } from "./waiting-count.ts";

export function BellSwitch() {
  const [isOn, setIsOn] = useKept<boolean>(BELL_KEPT_AS, false);
  const [notifies, setNotifies] = useState(mayNotify());
  const change = async (on: boolean) => {
    setIsOn(on);
    if (!on) return;
    if ("Notification" in globalThis) await Notification.requestPermission();
    setNotifies(mayNotify());
    // A sample. After a click the browser plays sounds.
    playTones();
  };
  return (
    <label class="bell">
      <input type="checkbox" checked={isOn} onChange={({ currentTarget }) => void change(currentTarget.checked)} />
      <span>Ring when somebody begins to wait</span>
      {isOn && (
        <span class="hint">
          {notifies
            ? "A sound and a notification, while the console is open"
            : "A sound, while the console is open. The browser does not allow notifications."}
        </span>
      )}
    </label>
  );
}
