/** The few drawings of the console, as lines on a grid of 16. They only stand beside words, or on buttons with a label. */
const icon = (path: string) =>
  function Icon() {
    return (
      <svg class="icon" viewBox="0 0 16 16" aria-hidden="true">
        <path d={path} />
      </svg>
    );
  };

export const SunIcon = icon(
  "M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6M8 1.2v1.6M8 13.2v1.6M1.2 8h1.6M13.2 8h1.6M3.2 3.2l1.1 1.1M11.7 11.7l1.1 1.1M3.2 12.8l1.1-1.1M11.7 4.3l1.1-1.1",
);
export const MoonIcon = icon("M13.4 9.6A5.8 5.8 0 0 1 6.4 2.6a5.8 5.8 0 1 0 7 7z");
export const StopIcon = icon("M4.5 4.5h7v7h-7z");
export const SendIcon = icon("M8 13V3M3.8 7.2 8 3l4.2 4.2");
export const PlusIcon = icon("M8 3v10M3 8h10");
