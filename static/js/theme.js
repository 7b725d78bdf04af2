// @ts-check
/** Light or dark: the system's wish until the reader chooses, then the choice, kept in this browser. */

const KEY = "moa-theme";

/** Apply the choice kept in this browser, if there is one. */
export function applyTheme() {
  const kept = read();
  if (kept !== null) document.body.classList.toggle("dark", kept === "dark");
}

/** Switch between light and dark and remember it. */
export function toggleTheme() {
  const dark = document.body.classList.toggle("dark");
  try {
    localStorage.setItem(KEY, dark ? "dark" : "light");
  } catch {
    // storage is off in this browser: the choice lasts until the page is left
  }
}

function read() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}
