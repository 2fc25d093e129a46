() => {
  const one = document.activeElement, style = getComputedStyle(one);
  return { tag: one.tagName.toLowerCase(), id: one.id, name: one.getAttribute("aria-label") || one.textContent.trim(),
           ring: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2,
           onscreen: one.getBoundingClientRect().bottom > 0 && one.getBoundingClientRect().top < innerHeight };
}
