// @ts-check
import { el } from "./dom.js";

/** Let the browser save what the server gives as an attachment. @param {string} address */
export function download(address) {
  const link = el("a", { href: address, download: true, hidden: true });
  document.body.append(link);
  link.click();
  link.remove();
}
