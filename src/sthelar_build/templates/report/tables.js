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
