// @ts-check
/** Links in model text: only to http, https and mail, never loaded before a click, and honest about where they go. */
import { el } from "./dom.js";

const REL = "noopener noreferrer nofollow ugc";
const TITLE_CHARS = 300;
const schemes = new Set(["http:", "https:", "mailto:"]);
const namesHost = /(?:[\p{L}\p{N}-]+\.)+[\p{L}\p{N}-]{2,}/u;
// direction marks, zero-width signs and soft hyphens can make one text look like another
const invisible = /[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/;

/**
 * An absolute address with an allowed scheme, else null.
 * @param {string|null} address
 * @returns {URL|null}
 */
export function allowed(address) {
  try {
    const url = new URL((address ?? "").trim());
    return schemes.has(url.protocol) ? url : null;
  } catch {
    return null;
  }
}

/**
 * The address without credentials, as its host stands in the network: punycode stays punycode.
 * @param {URL} url
 */
export function hostOf(url) {
  return url.protocol === "mailto:" ? url.pathname.slice(url.pathname.indexOf("@") + 1) : url.host;
}

/**
 * Harden every link under a node; one that leads nowhere allowed becomes its text.
 * @param {ParentNode} root
 */
export function hardenLinks(root) {
  for (const link of root.querySelectorAll("a")) {
    const url = allowed(link.getAttribute("href"));
    if (url === null) link.replaceWith(...link.childNodes);
    else harden(link, url);
  }
}

/** @param {HTMLAnchorElement} link @param {URL} url */
function harden(link, url) {
  url.username = "";
  url.password = "";
  link.setAttribute("href", url.href);
  link.setAttribute("target", "_blank");
  link.setAttribute("rel", REL);
  link.setAttribute("title", url.href.slice(0, TITLE_CHARS));
  const text = link.textContent ?? "";
  if (misleads(text, hostOf(url))) link.append(el("span", { class: "moa-host", dir: "ltr", text: ` (${hostOf(url)})` }));
}

/**
 * Whether a reader could take the link's text for another place than its host.
 * @param {string} text @param {string} host
 */
function misleads(text, host) {
  if (host.includes("xn--") || invisible.test(text) || !text.trim()) return true;
  const named = namesHost.exec(text.replace(/^[a-z]+:\/\//i, ""))?.[0]?.toLowerCase();
  return named !== undefined && !sameSite(named, host.toLowerCase().replace(/:\d+$/, ""));
}

/** @param {string} named @param {string} host */
function sameSite(named, host) {
  return named === host || `www.${named}` === host;
}

/**
 * A link in the place of something that would have been loaded.
 * @param {string|null} address
 * @param {(host: string) => string} label
 * @param {string} without label when there is no address to go to
 */
export function insteadOf(address, label, without) {
  const url = allowed(address);
  if (url === null || url.protocol === "mailto:") return el("span", { class: "moa-instead", text: without });
  return el("a", { class: "moa-instead", href: url.href, text: label(hostOf(url)) });
}
