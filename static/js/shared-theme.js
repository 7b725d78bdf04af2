// @ts-check
/** Light or dark where Gradio doesn't see to it: the system's wish or the reader's choice, and light on paper. */
import { applyTheme } from "./theme.js";

const system = matchMedia("(prefers-color-scheme: dark)");

function draw() {
  document.body.classList.toggle("dark", system.matches);
  applyTheme();
}

system.addEventListener("change", draw);
addEventListener("beforeprint", () => document.body.classList.remove("dark"));
addEventListener("afterprint", draw);
draw();
