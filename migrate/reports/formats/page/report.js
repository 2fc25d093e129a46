"use strict";
(() => {
  const SLICE = 100, SHOWN = 160, AROUND = 80, OPEN_ALL = 12;
  const { items, verdicts, sections } = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const list = $("items"), more = $("more"), search = $("search"), reset = $("reset"), openAll = $("open");
  const chosen = { verdict: new Set(), kind: new Set() };
  let found = items, shown = 0, expanded = items.length <= OPEN_ALL, last = null;

  const make = (tag, className, text) => {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const many = (number, noun, nouns = `${noun}s`) => `${number.toLocaleString("en")} ${number === 1 ? noun : nouns}`;
  const spaced = (kind) => kind.replaceAll("_", " ");

  // Every object has an address: #kind/id, with its verdict where it is named more than once.
  const addresses = new Map();
  for (const item of items) {
    const short = `${item.k}/${encodeURIComponent(item.l || item.r || item.n || "-")}`;
    let address = addresses.has(short) ? `${short}/${item.v}` : short;
    for (let n = 2; addresses.has(address); n++) address = `${short}/${item.v}/${n}`;
    addresses.set(address, item);
    item.address = address;
  }
  const words = (item) => item.words ??= [
    item.n, item.l, item.r, item.p, item.o, item.k, item.v, item.t,
    ...(item.d || []).flatMap((d) => [d.p, d.y, d.w, d.l, d.r, ...(d.x || []).map((piece) => piece[1])]),
  ].filter(Boolean).join("\n").toLowerCase();

  /* One object */
  const text = (pieces) => {
    const box = make("div", "text");
    box.tabIndex = 0;
    box.setAttribute("role", "group");
    box.setAttribute("aria-label", "words that differ");
    pieces.forEach(([operation, part], n) => {
      if (operation === 1) box.append(make("del", "", part));
      else if (operation === 2) box.append(make("ins", "", part));
      else if (operation === 3) box.append(make("span", "fold", `… ${part} …`));
      else box.append(...folded(part, n > 0, n < pieces.length - 1));
    });
    return box;
  };
  const folded = (part, before, after) => {
    if (part.length <= SHOWN + (before ? AROUND : 0) + (after ? AROUND : 0)) return [part];
    let start = before ? AROUND : 0, end = after ? part.length - AROUND : part.length;
    const line = part.lastIndexOf("\n", end - 1);
    if (after && line > end - 120 && line > start) end = line + 1;
    const hidden = part.slice(start, end), lines = hidden.split("\n").length - 1;
    const button = make("button", "fold", `… ${many(hidden.length, "character")}${lines ? `, ${many(lines, "line")}` : ""} …`);
    button.type = "button";
    button.setAttribute("aria-label", `Show ${button.textContent.slice(2, -2)} that are the same`);
    button.addEventListener("click", () => button.replaceWith(hidden));
    return [part.slice(0, start), button, part.slice(end)].filter((one) => one !== "");
  };
  const values = (detail) => {
    const row = make("div", "values");
    const side = (there, value, name) => {
      const code = make("code", there ? name : "absent", value);
      code.prepend(make("span", "unseen", name === "was" ? "before: " : "after: "));
      return code;
    };
    const arrow = make("span", "arrow", "→");
    arrow.setAttribute("aria-hidden", "true");
    row.append(side(detail.a & 1, detail.l, "was"), arrow, side(detail.a & 2, detail.r, "is"));
    return row;
  };
  const body = (item) => {
    const box = make("div", "body");
    if (item.d.every((detail) => Object.keys(detail).join() === "p")) {
      const names = make("p", "detail fields");
      names.append(...item.d.map((detail) => make("code", "", detail.p)));
      box.append(names);
      return box;
    }
    for (const detail of item.d) {
      const part = make("div", "detail");
      if (detail.p) part.append(make("h4", "", detail.p));
      if (detail.c) part.append(make("small", "", detail.c));
      if (detail.y) part.append(make("p", "", detail.y));
      if (detail.w) {
        const remedy = make("p", "remedy", `→ ${detail.w}`);
        remedy.prepend(make("span", "unseen", "what you can do: "));
        part.append(remedy);
      }
      if (detail.x) part.append(text(detail.x));
      else if (detail.a) part.append(values(detail));
      box.append(part);
    }
    return box;
  };
  /* The pages about an object, where there are any. */
  const leads = (item) => {
    const line = make("p", "leads");
    const lead = (address, words, before = "") => {
      if (!address) return;
      const link = make("a", "", words), part = make("span", "", before);
      link.href = address;
      part.append(link);
      line.append(part);
    };
    lead(item.u, item.ul);
    lead(item.q, item.p, "in ");
    lead(item.b, item.bl);
    return line;
  };
  const card = (item) => {
    const article = make("article", `item v-${item.o === "accepted" ? item.o : item.v}`);
    article.id = item.address;
    const line = make(item.d ? "summary" : "div", item.d ? "" : "line");
    const sign = make("span", "sign", verdicts[item.v][0]);
    sign.setAttribute("aria-hidden", "true");
    const title = make("span", "title");
    title.append(make("span", "unseen", `${item.v} `), make("span", "kind", `${spaced(item.k)} `), make("span", "name", item.n || "(no name)"));
    const ids = [...new Set([item.l, item.r].filter(Boolean))].join(" → ");
    const where = item.p && !item.q ? `${ids ? "  " : ""}in ${item.p}` : "";
    if (ids || where) title.append(make("span", "ids", ids + where));
    const note = make("span", "side-note", [item.o, item.d ? many(item.d.length, "field") : ""].filter(Boolean).join(" · "));
    if (item.t) {
      const word = item.t.endsWith(" or later") ? "after" : "since";
      const since = make("time", "since", `${word} ${item.t.slice(0, 10)}`);
      since.dateTime = item.t.slice(0, 10);
      since.title = item.t;
      note.append(since);
    }
    line.append(sign, title, note);
    const link = make("a", "link", "#");
    link.href = `#${item.address}`;
    link.setAttribute("aria-label", `Link to ${item.n || item.l || item.r || "this finding"}`);
    if (item.d) {
      const details = make("details");
      details.append(line);
      const fill = () => details.childElementCount > 1 || details.append(body(item));
      details.addEventListener("toggle", () => details.open && fill());
      if (expanded) { fill(); details.open = true; }
      article.append(details);
    } else article.append(line);
    if (item.u) article.append(leads(item));
    article.append(link);
    return article;
  };

  /* The list, a slice at a time */
  const grow = (until = shown + SLICE) => {
    const part = document.createDocumentFragment();
    for (const item of found.slice(shown, until)) {
      const group = `${item.s} ${item.v}`;
      if (group !== last) {
        const head = make("h3", "group", `${item.v[0].toUpperCase()}${item.v.slice(1)} `);
        head.append(make("small", "", `${tally(item).toLocaleString("en")}, ${verdicts[item.v][1]}`));
        if (parted && last?.split(" ")[0] !== item.s) part.append(make("h3", "part", sections[item.s]));
        part.append(head);
        last = group;
      }
      part.append(card(item));
    }
    list.append(part);
    shown = Math.min(Math.max(until, shown), found.length);
    more.hidden = shown === found.length;
    more.textContent = `Show ${Math.min(SLICE, found.length - shown)} more of ${(found.length - shown).toLocaleString("en")}`;
    tell();
  };
  const parted = new Set(items.map((item) => item.s)).size > 1;
  let tallies = new Map();
  const tally = (item) => tallies.get(`${item.s} ${item.v}`);
  const tell = () => {
    const of = found.length === items.length ? "" : ` of ${items.length.toLocaleString("en")}`;
    const sliced = shown < found.length ? `, the first ${shown.toLocaleString("en")} shown` : "";
    $("count").textContent = items.length ? `${many(found.length, "entry", "entries")}${of}${sliced}` : "No entries";
    openAll.hidden = !found.some((item) => item.d);
    openAll.textContent = expanded ? "Collapse all" : "Expand all";
  };
  const refresh = () => {
    const wanted = search.value.trim().toLowerCase().split(/\s+/).filter(Boolean);
    const { verdict, kind } = chosen;
    found = items.filter((item) =>
      (!verdict.size || verdict.has(item.v)) && (!kind.size || kind.has(item.k))
      && wanted.every((word) => words(item).includes(word)));
    tallies = new Map();
    for (const item of found) tallies.set(`${item.s} ${item.v}`, (tally(item) || 0) + 1);
    list.textContent = "";
    shown = 0;
    last = null;
    reset.hidden = !(wanted.length || verdict.size || kind.size);
    grow(SLICE);
    if (!found.length) list.append(make("p", "empty", items.length ? "Nothing matches. Escape clears the filters." : "There is nothing to show: that is the good case."));
  };

  /* Filters */
  const chips = (field, holder, key, names) => {
    const counts = new Map();
    for (const item of items) counts.set(item[key], (counts.get(item[key]) || 0) + 1);
    for (const name of names.filter((one) => counts.has(one))) {
      const button = make("button", field === "verdict" ? `v-${name}` : "");
      button.type = "button";
      button.setAttribute("aria-pressed", "false");
      button.append(make("span", "", spaced(name)), make("span", "", counts.get(name).toLocaleString("en")));
      button.addEventListener("click", () => {
        const on = !chosen[field].delete(name);
        if (on) chosen[field].add(name);
        button.setAttribute("aria-pressed", String(on));
        refresh();
      });
      holder.append(button);
    }
    holder.hidden = counts.size < 2;
  };
  const clear = () => {
    search.value = "";
    for (const set of Object.values(chosen)) set.clear();
    for (const button of document.querySelectorAll("fieldset button")) button.setAttribute("aria-pressed", "false");
    refresh();
  };
  chips("verdict", $("verdicts"), "v", Object.keys(verdicts));
  chips("kind", $("kinds"), "k", [...new Set(items.map((item) => item.k))].sort());
  let waiting = 0;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, items.length > 2000 ? 120 : 0);
  });
  $("filters").addEventListener("submit", (event) => event.preventDefault());
  reset.addEventListener("click", () => { clear(); search.focus(); });
  more.addEventListener("click", () => {
    const next = shown;
    grow();
    list.querySelectorAll(".item")[next]?.querySelector("summary, a")?.focus();
  });
  openAll.addEventListener("click", () => {
    expanded = !expanded;
    for (const details of list.querySelectorAll("details")) details.open = expanded;
    tell();
  });

  /* Addresses and keys */
  const go = () => {
    let wanted = location.hash.slice(1);
    const item = addresses.get(wanted) || addresses.get(safely(wanted));
    if (!item) return;
    if (!found.includes(item)) clear();
    const place = found.indexOf(item);
    if (place >= shown) grow(place + 1);
    const article = document.getElementById(item.address), details = article.querySelector("details");
    if (details) details.open = true;
    for (const other of list.querySelectorAll(".here")) other.classList.remove("here");
    article.classList.add("here");
    article.scrollIntoView({ block: "center", behavior: "instant" });
    article.querySelector("summary, a").focus({ preventScroll: true });
  };
  const safely = (hash) => {
    const [kind, id, ...rest] = hash.split("/");
    try { return [kind, encodeURIComponent(decodeURIComponent(id || "")), ...rest].join("/"); } catch { return hash; }
  };
  const step = (by) => {
    const stops = [...list.querySelectorAll(".item")].map((one) => one.querySelector("summary, a"));
    const at = stops.indexOf(document.activeElement);
    const next = stops[at < 0 ? (by > 0 ? 0 : stops.length - 1) : at + by];
    if (next) next.focus();
    else if (by > 0 && !more.hidden) more.focus();
  };
  addEventListener("hashchange", go);
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && !reset.hidden) clear();
    else if (event.target === search) return;
    else if (event.key === "/") { event.preventDefault(); search.focus(); }
    else if (event.key === "j") step(1);
    else if (event.key === "k") step(-1);
  });

  /* The picture: what the pointer is on, and what it is tied to. The list below it says the same. */
  for (const picture of document.querySelectorAll(".picture svg")) {
    const curves = [...picture.querySelectorAll("path")].map((path) => [path, path.dataset.ends.split(" ")]);
    const boxes = new Map([...picture.querySelectorAll(".box")].map((box) => [box.dataset.number, box]));
    picture.addEventListener("pointerover", (event) => {
      for (const one of picture.querySelectorAll(".near")) one.classList.remove("near");
      const box = event.target.closest(".box");
      picture.classList.toggle("tracing", Boolean(box));
      if (!box) return;
      box.classList.add("near");
      for (const [path, ends] of curves) {
        if (!ends.includes(box.dataset.number)) continue;
        for (const one of [path, ...ends.map((end) => boxes.get(end))]) one.classList.add("near");
      }
    });
    picture.addEventListener("pointerleave", () => picture.classList.remove("tracing"));
  }

  /* Light and dark; paper */
  const theme = $("theme"), root = document.documentElement, dark = matchMedia("(prefers-color-scheme: dark)");
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
  const narrow = matchMedia("(max-width: 640px)");
  const lists = () => { for (const one of document.querySelectorAll(".words")) one.open = narrow.matches; };
  narrow.addEventListener("change", lists);
  lists();
  addEventListener("beforeprint", () => { for (const one of document.querySelectorAll("details")) one.open = true; });

  $("app").hidden = false;
  refresh();
  go();
  addEventListener("load", () => setTimeout(go)); // the browser looks for the address itself, and drops the focus
})();
