() => {
  const width = document.documentElement.clientWidth;
  const wide = [...document.querySelectorAll("body *")].filter((one) => one.checkVisibility()
    && !one.closest("svg") && one.getBoundingClientRect().right > width + 0.5).map((one) => one.outerHTML.slice(0, 80));
  return { over: document.documentElement.scrollWidth - width, wide };
}
