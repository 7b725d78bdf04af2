// @ts-check
/** Small line icons, drawn here so that nothing is fetched. All are decoration: names stand in text beside them. */

const paths = {
  waiting: "M12 7v5l3 2M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18Z",
  running: "M12 3a9 9 0 1 0 9 9",
  done: "m5 12.5 4.5 4.5L19 7.5",
  failed: "M12 8v5m0 3.2v.1M10.3 4 2.8 17.2A2 2 0 0 0 4.5 20h15a2 2 0 0 0 1.7-2.8L13.7 4a2 2 0 0 0-3.4 0Z",
  stopped: "M6 6h12v12H6z",
  copy: "M9 9V5.5A1.5 1.5 0 0 1 10.5 4h8A1.5 1.5 0 0 1 20 5.5v8a1.5 1.5 0 0 1-1.5 1.5H15M5.5 9h8A1.5 1.5 0 0 1 15 10.5v8a1.5 1.5 0 0 1-1.5 1.5h-8A1.5 1.5 0 0 1 4 18.5v-8A1.5 1.5 0 0 1 5.5 9Z",
  regenerate: "M20 11a8 8 0 0 0-14.5-4L3.5 9.5M3.5 4.5v5h5M4 13a8 8 0 0 0 14.5 4l2-2.5m0 5v-5h-5",
  chevron: "m9 6 6 6-6 6",
  caret: "m7 10 5 5 5-5",
  earlier: "m15 6-6 6 6 6",
  later: "m9 6 6 6-6 6",
  down: "M12 5v14m-6-6 6 6 6-6",
  more: "M5.5 12h.1M12 12h.1M18.5 12h.1",
  pencil: "m4 20 1-4.5L16 4.5a1.8 1.8 0 0 1 2.5 0l1 1a1.8 1.8 0 0 1 0 2.5L8.5 19 4 20Zm10-13.5 3.5 3.5",
  branch: "M7 8v8M7 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4ZM17 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4Zm0 0v1.5a3 3 0 0 1-3 3h-4a3 3 0 0 0-3 3",
  resume: "M8 5.5v13L18.5 12 8 5.5Z",
  hurry: "M5 6.5v11l7-5.5-7-5.5Zm8 0v11l7-5.5-7-5.5Z",
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  cross: "m6 6 12 12M18 6 6 18",
  expand: "M12 4v16M8 8l4-4 4 4M8 16l4 4 4-4",
  back: "M19 12H5m6-6-6 6 6 6",
  arrow: "M5 12h14m-6-6 6 6-6 6",
  search: "M10.5 4a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13Zm9.5 16-4.9-4.9",
};

const SVG = "http://www.w3.org/2000/svg";

/**
 * @param {keyof typeof paths} name
 * @returns {SVGSVGElement}
 */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `moa-icon moa-icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
