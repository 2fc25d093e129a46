() => {
  const numbers = (colour) => (colour.match(/[\d.]+/g) || []).map(Number);
  const over = (top, under) => { const a = top[3] ?? 1; return [0, 1, 2].map((n) => top[n] * a + under[n] * (1 - a)); };
  const light = (colour) => {
    const [r, g, b] = colour.map((n) => n / 255).map((n) => n <= 0.04045 ? n / 12.92 : ((n + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (one, other) => { const [a, b] = [light(one), light(other)].sort((x, y) => y - x); return (a + 0.05) / (b + 0.05); };
  const behind = (element) => {
    const box = element.closest(".box");
    if (box) return numbers(getComputedStyle(box.querySelector("rect")).fill).slice(0, 3);
    const layers = [];
    for (let one = element; one; one = one.parentElement) layers.push(numbers(getComputedStyle(one).backgroundColor));
    return layers.reverse().reduce((under, layer) => layer.length ? over(layer, under) : under, [255, 255, 255]);
  };
  for (const details of document.querySelectorAll("details")) details.open = true;
  const bad = [];
  let seen = 0;
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || ["SCRIPT", "STYLE", "NOSCRIPT", "TITLE"].includes(element.tagName.toUpperCase())) continue;
    if (!element.checkVisibility({ visibilityProperty: true })) continue;
    const style = getComputedStyle(element);
    const back = behind(element), ink = element instanceof SVGElement ? style.fill : style.color;
    const found = ratio(over(numbers(ink), back), back);
    seen++;
    if (found < 4.5) bad.push(`${found.toFixed(2)} ${element.tagName}.${element.getAttribute("class")}: ${node.data.slice(0, 30)}`);
  }
  return { seen, bad };
}
