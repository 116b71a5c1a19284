/** Light or dark: as the system has it, until one chooses. */
import { useEffect } from "preact/hooks";
import { MoonIcon, SunIcon } from "../shared/icons.tsx";
import { useKept } from "../shared/storage.ts";

type Theme = "light" | "dark";

const systemTheme = (): Theme => (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

export function ThemeSwitch() {
  const [chosen, setChosen] = useKept<Theme | null>("theme", null);
  useEffect(() => {
    if (chosen) document.documentElement.dataset["theme"] = chosen;
  }, [chosen]);
  const isDark = (chosen ?? systemTheme()) === "dark";
  return (
    <button
      type="button"
      class="quiet icon-button"
      aria-label={isDark ? "Light colours" : "Dark colours"}
      title={isDark ? "Light colours" : "Dark colours"}
      onClick={() => setChosen(isDark ? "light" : "dark")}
    >
      {isDark ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
