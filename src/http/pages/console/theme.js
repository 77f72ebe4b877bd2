// Light, dark, or as the system has it.
const KEY = "daybook.theme";
const NAMES = ["auto", "light", "dark"];

export const theme = () =>
  NAMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
  dispatchEvent(new Event("themechange"));
}

export function nextTheme() {
  localStorage.setItem(KEY, NAMES[(NAMES.indexOf(theme()) + 1) % NAMES.length]);
  applyTheme();
}

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
  dispatchEvent(new Event("themechange")),
);
