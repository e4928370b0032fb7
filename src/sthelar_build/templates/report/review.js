// Decisions of a person, written as the table that the stage refine reads. Others call window.review.chooseCluster(cluster, key).

class Review {
  constructor(root, facts) {
    Object.assign(this, { root, facts, target: null, find: name => root.querySelector(`[data-review=${name}]`) });
    this.form = this.find("form"); this.place = `sthelar_build decisions ${facts.slide}`; this.lines = this.remembered();
    const listen = (element, kind, act) => element?.addEventListener(kind, act);
    listen(this.form.elements.cluster, "change", event => {
      const chosen = event.target.selectedOptions[0];
      if (chosen.value) this.chooseCluster(chosen.dataset.cluster, chosen.value); else this.choose(null);
    });
    listen(this.find("draw"), "click", () => this.draw());
    listen(this.find("view"), "click", () => this.chooseView());
    listen(this.form, "submit", event => { event.preventDefault(); this.add(); });
    listen(this.find("download"), "click", () => this.download());
    const ofCell = document.querySelector("[data-review=cell]");
    if (ofCell) { ofCell.hidden = false; listen(ofCell, "click", () => this.chooseCell(window.slideViewer.picked)); }
    for (const name of ["draw", "view"]) this.find(name).hidden = !window.slideViewer;
    this.form.elements.who.value = this.lines.at(-1)?.who ?? "";
    this.show();
  }

  /** Take cells: { target, words }, or none. */
  choose(target) {
    this.target = target;
    this.find("chosen").textContent = target ? `Chosen: ${target.words}.` : "No cells are chosen yet: take a cluster, click a nucleus on the slide, or draw a region.";
    this.find("chosen").classList.toggle("is-chosen", target !== null);
    if (target && !target.target.startsWith("cluster:")) this.form.elements.cluster.value = "";
  }
  chooseCluster(cluster, key) {
    this.form.elements.cluster.value = key;
    this.choose({ target: key, words: `cluster ${cluster}` });
    this.goHere();
  }
  chooseCell(cell) { this.choose({ target: `cell:${cell.id}`, words: `cell ${cell.id}` }); this.goHere(); }
  chooseRegion(corners) {
    if (!corners) return;
    const text = corners.map(([x, y]) => `${Math.round(10 * x) / 10},${Math.round(10 * y) / 10}`).join(" ");
    this.choose({ target: `polygon:${text}`, words: `the region of ${corners.length} corners that is drawn on the slide` });
  }
  draw() {
    window.slideViewer.root.scrollIntoView({ block: "start" });
    window.slideViewer.drawRegion(corners => { this.chooseRegion(corners); if (corners) this.goHere(); });
  }
  chooseView() {
    const { slideViewer: viewer } = window, [left, right] = [viewer.toSlide(0, 0), viewer.toSlide(viewer.width, viewer.height)];
    const corners = [[left.x, left.y], [right.x, left.y], [right.x, right.y], [left.x, right.y]];
    viewer.region = corners; viewer.redraw();
    this.chooseRegion(corners);
  }
  goHere() { this.root.scrollIntoView({ block: "start" }); this.form.elements.label.focus({ preventScroll: true }); }

  add() {
    const { label, who, why, only } = this.form.elements, problem = this.problem(label.value.trim());
    this.find("problem").textContent = problem ?? "";
    if (problem) return;
    const plain = text => text.replace(/[\t\r\n]+/g, " ").trim();
    this.lines.push({ target: this.target.target, words: this.target.words, label: label.value.trim(), who: plain(who.value), when: today(), why: plain(why.value), only: only.value });
    label.value = why.value = only.value = ""; this.choose(null); window.slideViewer?.forgetRegion();
    this.remember(); this.show();
  }
  problem(label) {
    if (!this.target) return "Choose the cells first: a cluster, a nucleus, or a region.";
    if (!this.facts.labels.includes(label)) return `"${label}" is no class and no fine label; take one from the list.`;
    return null;
  }

  show() {
    const table = this.find("table"), n = this.lines.length, before = this.facts.table ? this.facts.table.trim().split("\n").filter(line => line && !line.startsWith("#")).length - 1 : 0;
    table.hidden = !n; table.caption.textContent = `${n} new decision${n === 1 ? "" : "s"}`;
    table.tBodies[0].replaceChildren(...this.lines.map((line, number) => this.row(line, number)));
    this.find("download").disabled = !n;
    this.find("hint").textContent = before ? `The ${before} line${before === 1 ? "" : "s"} that decided on this slide so far stand in it too: replace the old file.` : "";
  }
  row(line, number) {
    const row = document.createElement("tr"), remove = document.createElement("button");
    for (const text of [line.words, line.only || "all", line.label, `${line.who}, ${line.when}`, line.why]) row.insertCell().textContent = text;
    remove.type = "button"; remove.textContent = "Remove"; remove.setAttribute("aria-label", `Remove the decision on ${line.words}`);
    remove.addEventListener("click", () => { this.lines.splice(number, 1); this.remember(); this.show(); });
    row.insertCell().append(remove);
    return row;
  }

  /** Return the whole table: the lines that there were, as they were, and the new ones in the columns of that table. */
  text() {
    const columns = ["target", "label", "who", "when", "why", "only"], old = (this.facts.table ?? "").replace(/\r\n/g, "\n").replace(/^\ufeff/, "").trimEnd();
    if (!old) return [columns, ...this.lines.map(line => columns.map(name => quoted(line[name])))].map(cells => cells.join("\t")).join("\n") + "\n";
    const rows = old.split("\n"), head = rows.findIndex(row => row.trim() && !row.startsWith("#")), known = rows[head].split("\t").map(name => name.trim());
    if (!known.includes("only")) { known.push("only"); rows[head] += "\tonly"; }
    return [...rows, ...this.lines.map(line => known.map(name => quoted(line[name] ?? "")).join("\t"))].join("\n") + "\n";
  }
  download() {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([this.text()], { type: "text/tab-separated-values" }));
    link.download = `${this.facts.slide}.tsv`; link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  // A browser may keep nothing for pages from disk: then the decisions live as long as the page.
  remember() { try { localStorage.setItem(this.place, JSON.stringify({ of: this.facts.of, lines: this.lines })); } catch { /* not kept */ } }
  remembered() {
    try { const kept = JSON.parse(localStorage.getItem(this.place)); return kept?.of === this.facts.of ? kept.lines : []; } catch { return []; }
  }
}

/** A cell that starts with a quotation mark would swallow the lines that follow. */
function quoted(text) { return text.includes('"') ? `"${text.replaceAll('"', '""')}"` : text; }

function today() {
  const now = new Date(), two = number => String(number).padStart(2, "0");
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

window.review = new Review(document.getElementById("decide"), JSON.parse(document.getElementById("review-facts").textContent));
