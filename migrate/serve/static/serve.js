"use strict";
/* Nothing here is needed for reading: keys, colours, copying. */
(() => {
  const root = document.documentElement, theme = document.getElementById("theme");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => root.dataset.theme ? root.dataset.theme === "dark" : dark.matches;
  const name = () => {
    theme.textContent = isDark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `Switch to ${isDark() ? "light" : "dark"} colours`);
  };
  const remembered = (value) => {
    try { return value ? localStorage.setItem("report-theme", value) : localStorage.getItem("report-theme"); } catch { return null; }
  };
  if (["light", "dark"].includes(remembered())) root.dataset.theme = remembered();
  theme.addEventListener("click", () => { root.dataset.theme = isDark() ? "light" : "dark"; remembered(root.dataset.theme); name(); });
  dark.addEventListener("change", name);
  theme.hidden = false;
  name();

  /* Copying: what a button names, the text of an element, a message, a block of code. */
  const copies = (button, text) => {
    button.type = "button";
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(text());
      button.classList.add("done");
      const word = button.textContent;
      if (word) button.textContent = "Copied";
      setTimeout(() => { button.classList.remove("done"); button.textContent = word; }, 1500);
    });
    return button;
  };
  const made = (className, label, word = "") => {
    const button = document.createElement("button");
    button.className = className;
    button.textContent = word;
    button.setAttribute("aria-label", label);
    return button;
  };
  if (navigator.clipboard) {
    for (const button of document.querySelectorAll("button.copy"))
      copies(button, () => button.dataset.text ?? document.getElementById(button.dataset.copy).textContent);
    for (const code of document.querySelectorAll(".thread-facts code"))
      code.after(" ", copies(made("copy icon", `Copy ${code.textContent}`), () => code.textContent));
    for (const bubble of document.querySelectorAll(".conversation .bubble"))
      bubble.previousElementSibling?.append(copies(made("copy icon", "Copy this message"), () => bubble.innerText));
    for (const block of document.querySelectorAll(".conversation .code")) {
      block.classList.add("with-copy");
      block.append(copies(made("copy quiet", "Copy this block", "Copy"), () => block.querySelector("pre").textContent));
    }
  }

  /* From message to message, from row to row. */
  const step = (by) => {
    const stops = [...document.querySelectorAll(".turn .permalink, .objects tbody th > a, .hit-head a, .finding h2 a")];
    const at = stops.indexOf(document.activeElement);
    const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : at + by];
    next?.focus();
    next?.closest(".turn")?.scrollIntoView({ block: "nearest" });
  };
  /* What an address leads to is shown, also where it is folded in. */
  const unfold = () => {
    const target = document.getElementById(location.hash.slice(1)), folded = target?.closest("details:not([open])");
    if (folded) { folded.open = true; target.scrollIntoView(); }
  };
  addEventListener("hashchange", unfold);
  unfold();

  const jump = document.getElementById("jump");
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const writes = event.target.closest?.("input, select, textarea");
    const open = document.querySelector(".chooser[open]");
    if (event.key === "Escape" && open) { open.open = false; open.querySelector("summary").focus(); }
    else if (writes) return;
    else if (event.key === "/" && jump) { event.preventDefault(); jump.focus(); }
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });
  addEventListener("click", (event) => {
    for (const open of document.querySelectorAll(".chooser[open]")) if (!open.contains(event.target)) open.open = false;
  });
})();
