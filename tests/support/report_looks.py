"""What a reader of a page sees, as figures: texts with boxes, sizes and colours."""

from __future__ import annotations

import re

# Every text with its box, its colours and size; texts of charts with the chart's own box.
TEXTS = """() => {
  const found = [], charts = [...document.querySelectorAll("svg")];
  const skipped = ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION"];
  const ground = (e) => {
    for (; e; e = e.parentElement) {
      const colour = getComputedStyle(e).backgroundColor;
      if (colour !== "rgba(0, 0, 0, 0)") return colour;
    }
    return "rgb(255, 255, 255)";
  };
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].filter((n) => n.nodeType === 3 && n.textContent.trim());
    if (!own.length || skipped.includes(e.tagName) || !e.getClientRects().length) continue;
    const range = document.createRange(), svg = e.closest("svg"), style = getComputedStyle(e);
    range.selectNodeContents(own[0]);
    const { left, right, top, bottom } = (svg ? e : range).getBoundingClientRect();
    const within = svg || e.closest(".scroll table, .card, header, section, footer");
    found.push({
      text: own.map((n) => n.textContent).join(""), left, right, top, bottom, svg: charts.indexOf(svg),
      within: within.getBoundingClientRect().toJSON(), size: parseFloat(style.fontSize),
      ink: svg ? style.fill : style.color, ground: ground(e),
    });
  }
  return found;
}"""


def luminance(colour):
    parts = [int(float(part)) / 255 for part in re.findall(r"[\d.]+", colour)[:3]]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(ink, ground):
    lighter, darker = sorted((luminance(ink), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def overlap(one, other):
    wide = min(one["right"], other["right"]) - max(one["left"], other["left"])
    high = min(one["bottom"], other["bottom"]) - max(one["top"], other["top"])
    return wide > 2 and high > 4
