for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], heads = [...table.tHead.rows[0].cells];
  const value = (row, i) => { const cell = row.cells[i]; return cell.dataset.value ?? cell.textContent; };
  heads.forEach((head, i) => {
    const button = document.createElement("button");
    button.type = "button"; button.append(...head.childNodes); head.append(button);
    button.onclick = () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      heads.forEach(other => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const rows = [...body.rows];
      rows.sort((a, b) => {
        const [p, q] = [value(a, i), value(b, i)], difference = p - q;
        return sign * (Number.isNaN(difference) ? p.localeCompare(q, "en", { numeric: true }) : difference);
      });
      body.append(...rows);
    };
  });
}

for (const bar of document.querySelectorAll(".filter")) {
  const rows = [...document.getElementById(bar.dataset.table).tBodies[0].rows];
  const [text, choice, says] = ["input", "select", "output"].map(name => bar.querySelector(name));
  const words = new Map(rows.map(row => [row, row.textContent.replaceAll("_", " ").toLowerCase()]));
  const filter = () => {
    const wanted = text.value.trim().replaceAll("_", " ").toLowerCase();
    for (const row of rows) {
      row.hidden = !words.get(row).includes(wanted) || (choice.value !== "" && row.dataset.class !== choice.value);
    }
    says.textContent = `${rows.filter(row => !row.hidden).length} of ${rows.length} ${bar.dataset.things} shown`;
  };
  text.oninput = choice.onchange = filter;
  bar.hidden = false;
  filter();
}

// What scrolls must be reached by keyboard, and say what it is.
const scrollers = new ResizeObserver(seen => {
  for (const { target } of seen) {
    const scrolls = target.scrollWidth > target.clientWidth + 1;
    const name = target.querySelector("caption, figcaption")?.textContent ?? target.dataset.name ?? "";
    for (const [key, value] of Object.entries({ tabindex: "0", role: "region", "aria-label": name })) {
      if (scrolls) target.setAttribute(key, value); else target.removeAttribute(key);
    }
  }
});
document.querySelectorAll(".scroll").forEach(box => scrollers.observe(box));

// Stacked on narrow screens, a table stays one to a screen reader.
for (const table of document.querySelectorAll("table.stacked")) {
  const roles = { caption: "caption", thead: "rowgroup", tbody: "rowgroup", tr: "row", td: "cell", "thead th": "columnheader", "tbody th": "rowheader" };
  table.setAttribute("role", "table");
  for (const [what, role] of Object.entries(roles)) table.querySelectorAll(what).forEach(one => one.setAttribute("role", role));
}
