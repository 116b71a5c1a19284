/**
 * The bell: two short tones, and a notification of the browser where that is allowed. Neither needs the other, and a browser may
 * refuse both.
 */
import { goTo } from "../router.ts";
import { plural } from "../shared/format.ts";

const TONES_HZ = [880, 660];
const TONE_SECONDS = 0.18;
const VOLUME = 0.2;

/** @param count of those who wait */
export function ringBell(count: number): void {
  playTones();
  notify(count);
}

/** Silent on a page on which nobody has clicked yet: browsers play nothing there. */
export function playTones(): void {
  const context = new AudioContext();
  const volume = new GainNode(context, { gain: VOLUME });
  volume.connect(context.destination);
  for (const [index, frequency] of TONES_HZ.entries()) {
    const tone = new OscillatorNode(context, { frequency });
    tone.connect(volume);
    tone.start(context.currentTime + index * TONE_SECONDS);
    tone.stop(context.currentTime + (index + 1) * TONE_SECONDS);
    if (index === TONES_HZ.length - 1) tone.addEventListener("ended", () => void context.close());
  }
}

export const mayNotify = (): boolean => "Notification" in globalThis && Notification.permission === "granted";

function notify(count: number): void {
  if (!mayNotify()) return;
  try {
    const notification = new Notification("Parley", {
      body: `${plural(count, "chat")} ${count === 1 ? "waits" : "wait"} for a person`,
      tag: "parley-waiting",
    });
    notification.addEventListener("click", () => {
      focus();
      goTo("waiting");
    });
  } catch {
    // Browsers of phones let only service workers notify.
  }
}
