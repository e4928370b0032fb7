// The viewer: what is seen, what the mouse, fingers and keys do to it, and what the controls around it say.
// Others call window.slideViewer: showCluster(name), showPlace(x, y), drawRegion(then), picked.

class SlideViewer {
  constructor(root, facts) {
    const draw = () => this.redraw(), find = name => root.querySelector(`[data-viewer=${name}]`);
    Object.assign(this, { root, find, facts, canvas: find("canvas"), umPerPx: facts.images.he_um_per_px, lens: false, region: null });
    const lost = folder => { find("lost").hidden = false; find("lost").textContent = `Files of the folder ${folder} are missing: keep it beside this page.`; };
    this.he = new Tiles(facts, "he", draw, lost); this.dapi = new Tiles(facts, "dapi", draw, lost);
    this.nuclei = new Nuclei(facts, draw, lost); this.style = new Style(facts.nuclei);
    this.overlay = new Overlay(this.nuclei, this.style, this.umPerPx); this.pointer = null; this.picked = null; this.zoomed = 0;
    this.context = this.canvas.getContext("2d");
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    this.resize(); this.fit(); listenToPointer(this); listenToKeys(this); listenToControls(this);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    Object.assign(this, { width, height, density: window.devicePixelRatio || 1 });
    this.canvas.width = width * this.density; this.canvas.height = height * this.density;
    this.redraw();
  }
  fit() {
    const { width_he_px: width, height_he_px: height } = this.facts.images;
    this.view = { x: width / 2, y: height / 2, scale: Math.min(this.width / width, this.height / height) };
    this.redraw();
  }
  move(dx, dy) { this.view.x -= dx / this.view.scale; this.view.y -= dy / this.view.scale; this.clamp(); }
  zoom(factor, x = this.width / 2, y = this.height / 2) {
    const { width_he_px: width, height_he_px: height } = this.facts.images;
    const least = Math.min(this.width / width, this.height / height) / 2, scale = Math.max(least, Math.min(8, this.view.scale * factor));
    const at = this.toSlide(x, y);
    if (scale !== this.view.scale) this.zoomed = performance.now();
    this.view.scale = scale;
    this.view.x = at.x - (x - this.width / 2) / scale; this.view.y = at.y - (y - this.height / 2) / scale;
    this.clamp();
  }
  clamp() {
    this.view.x = Math.max(0, Math.min(this.facts.images.width_he_px, this.view.x));
    this.view.y = Math.max(0, Math.min(this.facts.images.height_he_px, this.view.y));
    this.redraw();
  }
  toSlide(x, y) { return { x: this.view.x + (x - this.width / 2) / this.view.scale, y: this.view.y + (y - this.height / 2) / this.view.scale }; }
  toScreen(x, y) { return [this.width / 2 + (x - this.view.x) * this.view.scale, this.height / 2 + (y - this.view.y) * this.view.scale]; }

  redraw() { this.asked ??= requestAnimationFrame(() => { this.asked = null; this.draw(); }); }
  draw() {
    const { context, view, width, height, density } = this;
    if (!width || !height) return;
    context.setTransform(density, 0, 0, density, 0, 0);
    context.fillStyle = "#f4f2f4"; context.fillRect(0, 0, width, height);
    drawTiles(context, this.he, view, width, height, density);
    const resting = performance.now() - this.zoomed > 90;
    this.goOn(this.overlay.draw(context, view, width, height, density, resting), resting);
    if (this.region) this.drawRegionLine();
    if (this.picked) this.drawPicked();
    if (this.lens && this.pointer) this.drawLens();
    this.drawScaleBar();
    if (!this.seen) { this.seen = true; performance.mark("viewer-drawn"); }
  }
  /** Ask for another frame if this one had no time for all; when at rest, say what is seen. */
  goOn(more, resting) {
    if (more && resting) { this.redraw(); return; }
    clearTimeout(this.waiting);
    const seen = [this.view.x, this.view.y, this.view.scale, this.style.version, this.nuclei.arrivals].join();
    if (more) this.waiting = setTimeout(() => this.redraw(), 100);
    else if (seen !== this.lastSeen) this.waiting = setTimeout(() => { this.lastSeen = seen; this.describe(); }, 150);
  }

  drawLens() {
    const { context, pointer: [x, y], width, height } = this, radius = Math.min(130, width / 3.2, height / 2.5), at = this.toSlide(x, y);
    const near = { ...at, scale: Math.max(2 * this.view.scale, this.umPerPx / LENS_UM) }, size = 2 * radius;
    context.save();
    context.beginPath(); context.arc(x, y, radius, 0, 2 * Math.PI); context.fillStyle = "#000"; context.fill(); context.clip();
    context.translate(x - radius, y - radius);
    drawTiles(context, this.dapi, near, size, size, this.density);
    const reach = radius / near.scale, box = [near.x - reach, near.y - reach, near.x + reach, near.y + reach];
    drawNuclei(context, this.nuclei, Object.assign(Object.create(this.style), { filled: false }), near.scale, box, this.umPerPx);
    context.restore();
    context.beginPath(); context.arc(x, y, radius, 0, 2 * Math.PI); context.strokeStyle = "#fff"; context.lineWidth = 3; context.stroke();
    context.strokeStyle = "#222"; context.lineWidth = 1; context.stroke();
  }
  drawRegionLine() {
    const { context } = this;
    context.beginPath();
    for (const [x, y] of this.region) context.lineTo(...this.toScreen(x, y));
    if (!this.drawing) context.closePath();
    context.setLineDash([7, 4]); context.lineWidth = 2.5; context.strokeStyle = "#000"; context.stroke();
    context.lineDashOffset = 5; context.strokeStyle = "#ffe14d"; context.stroke(); context.setLineDash([]); context.lineDashOffset = 0;
  }
  drawPicked() {
    const { context, picked } = this;
    context.beginPath(); context.arc(...this.toScreen(picked.x, picked.y), Math.max(9, 8 / this.umPerPx * this.view.scale), 0, 2 * Math.PI);
    context.strokeStyle = "#fff"; context.lineWidth = 4; context.stroke(); context.strokeStyle = "#111"; context.lineWidth = 2; context.stroke();
  }
  drawScaleBar() {
    const { context } = this, um = this.umPerPx / this.view.scale, most = 120 * um;
    const unit = 10 ** Math.floor(Math.log10(most)), length = [5, 2, 1].find(n => n * unit <= most) * unit;
    const text = length >= 1000 ? `${length / 1000} mm` : `${length} µm`, x = 14, y = this.height - 16;
    context.fillStyle = "rgb(255 255 255 / 0.85)"; context.fillRect(x - 8, y - 24, length / um + 16, 34);
    context.fillStyle = "#111"; context.fillRect(x, y - 2, length / um, 4);
    context.font = "12px system-ui, sans-serif"; context.textAlign = "left"; context.fillText(text, x, y - 8);
  }

  /** Say in words what is seen. */
  describe() {
    const um = this.umPerPx / this.view.scale, box = [this.toSlide(0, 0), this.toSlide(this.width, this.height)];
    const found = new Map(); let n = 0;
    if (um <= OUTLINES_BELOW_UM)
      for (const name of this.nuclei.namesIn(box[0].x, box[0].y, box[1].x, box[1].y)) {
        const block = this.nuclei.block(name);
        for (let i = 0; block && i < block.n; i++)
          if (this.style.shows(block, i) && block.x[i] >= box[0].x && block.x[i] <= box[1].x && block.y[i] >= box[0].y && block.y[i] <= box[1].y) {
            found.set(block.kind[i], (found.get(block.kind[i]) ?? 0) + 1); n++;
          }
      }
    const names = Object.fromEntries(this.facts.nuclei.classes.map(one => [one.index, one.name]));
    const parts = [...found].sort((a, b) => b[1] - a[1]).slice(0, 4).map(([kind, count]) => `${names[kind]} ${count}`);
    const shown = n ? `${n} nuclei in view: ${parts.join(", ")}` : um > OUTLINES_BELOW_UM ? "zoom in for outlines" : "no nuclei shown here";
    this.find("status").textContent = `${um < 10 ? um.toFixed(2) : Math.round(um)} µm per px; ${shown}`;
  }
  /** Choose the nucleus at a place of the screen. */
  pick(x, y) {
    const at = this.toSlide(x, y), far = Math.max(9 / this.umPerPx, 9 / this.view.scale);
    let best = null, least = far ** 2;
    if (this.umPerPx / this.view.scale <= BLOCKS_BELOW_UM)
      for (const name of this.nuclei.namesIn(at.x - far, at.y - far, at.x + far, at.y + far)) {
        const block = this.nuclei.block(name);
        for (let i = 0; block && i < block.n; i++) {
          const distance = (block.x[i] - at.x) ** 2 + (block.y[i] - at.y) ** 2;
          if (this.style.shows(block, i) && distance < least) { least = distance; best = this.described(block, i); }
        }
      }
    this.picked = best;
    this.tellPicked();
    this.redraw();
  }
  described(block, i) {
    const { nuclei } = this.facts, cluster = block.cluster[i];
    return { id: block.ids[i], x: block.x[i], y: block.y[i], kind: nuclei.classes.find(one => one.index === block.kind[i]).name,
      fine: nuclei.label2[block.fine[i]], cluster: cluster === NO_CLUSTER ? null : nuclei.cluster[cluster],
      confidence: block.confidence[i] / 255, decided: nuclei.decided_by[block.decided[i]] };
  }
  tellPicked() {
    const card = this.find("picked"), one = this.picked, plain = text => (text ?? "").replaceAll("_", " ");
    card.hidden = !one;
    if (!one) return;
    card.querySelector("p").textContent = `Cell ${one.id}: ${one.kind} (${plain(one.fine)}), `
      + `${one.cluster === null ? "in no cluster" : `cluster ${one.cluster}`}, confidence ${Math.round(100 * one.confidence)} %, decided by ${plain(one.decided)}`;
    card.querySelector("[data-viewer=cluster-of-picked]").hidden = one.cluster === null;
  }

  /** Show only one cluster, and where it lies; null shows all. */
  showCluster(name) {
    const cluster = name === null ? null : this.facts.nuclei.cluster.indexOf(String(name));
    this.style.set({ cluster });
    this.find("only").hidden = cluster === null;
    this.find("only").querySelector("span").textContent = `Only cluster ${name}`;
    if (cluster !== null && this.nuclei.overview) this.frame(cluster);
    this.root.scrollIntoView({ block: "start" });
    this.redraw();
  }
  frame(cluster) {
    const { overview } = this.nuclei, xs = [], ys = [];
    for (let i = 0; i < overview.n; i++) if (overview.cluster[i] === cluster) { xs.push(overview.x[i]); ys.push(overview.y[i]); }
    if (!xs.length) return;
    const span = values => { values.sort((a, b) => a - b); return [values[Math.floor(values.length * 0.02)], values[Math.ceil(values.length * 0.98) - 1]]; };
    const [left, right] = span(xs), [top, bottom] = span(ys), least = 200 / this.umPerPx;
    this.view = { x: (left + right) / 2, y: (top + bottom) / 2,
      scale: 0.9 * Math.min(this.width / Math.max(right - left, least), this.height / Math.max(bottom - top, least)) };
    this.zoom(1);
  }
  /** Show a place of the H&E, in its level-0 px, near enough for outlines. */
  showPlace(x, y) {
    this.view = { x, y, scale: Math.max(this.view.scale, this.umPerPx / 0.5) };
    this.root.scrollIntoView({ block: "start" });
    this.clamp();
  }
  /** Show a square of the H&E, in its level-0 px, and where it ends. */
  showSquare(left, top, side) {
    this.region = [[left, top], [left + side, top], [left + side, top + side], [left, top + side]];
    this.view = { x: left + side / 2, y: top + side / 2, scale: 0.6 * Math.min(this.width, this.height) / side };
    this.root.scrollIntoView({ block: "start" });
    this.zoom(1);
  }
  /** Let a region be drawn; then(corners) gets its corners in level-0 px of the H&E, or null if it was given up. */
  drawRegion(then) { this.drawing = then; this.region = []; this.canvas.classList.add("drawing"); this.canvas.focus(); this.redraw(); }
  endRegion(kept) {
    const then = this.drawing, corners = this.region;
    this.drawing = null; this.canvas.classList.remove("drawing");
    if (!kept || corners.length < 3) this.region = null;
    this.redraw();
    then(this.region);
  }
  forgetRegion() { this.region = null; this.redraw(); }
}

function listenToPointer(viewer) {
  const { canvas } = viewer, held = new Map(), place = event => { const box = canvas.getBoundingClientRect(); return [event.clientX - box.left, event.clientY - box.top]; };
  let moved = 0;
  canvas.addEventListener("pointerdown", event => {
    canvas.setPointerCapture(event.pointerId); held.set(event.pointerId, place(event)); moved = 0;
    if (viewer.drawing) { const at = viewer.toSlide(...place(event)); viewer.region = [[at.x, at.y]]; }
  });
  canvas.addEventListener("pointermove", event => {
    const now = place(event), before = held.get(event.pointerId);
    viewer.pointer = now;
    if (!before) { if (viewer.lens) viewer.redraw(); return; }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    if (viewer.drawing) {
      const at = viewer.toSlide(...now), [x, y] = viewer.region.at(-1);
      if (Math.hypot(at.x - x, at.y - y) * viewer.view.scale > 4) viewer.region.push([at.x, at.y]);
      viewer.redraw();
    } else if (held.size === 1) viewer.move(now[0] - before[0], now[1] - before[1]);
    else if (held.size === 2) {
      const other = [...held].find(([id]) => id !== event.pointerId)[1], apart = at => Math.hypot(at[0] - other[0], at[1] - other[1]);
      viewer.zoom(apart(now) / Math.max(apart(before), 1), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }
    held.set(event.pointerId, now);
  });
  const release = event => {
    if (!held.delete(event.pointerId)) return;
    if (viewer.drawing) { if (viewer.region.length > 2 || event.type === "pointercancel") viewer.endRegion(event.type === "pointerup"); }
    else if (event.type === "pointerup" && moved < 4) viewer.pick(...place(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { if (!held.size) { viewer.pointer = null; viewer.redraw(); } });
  canvas.addEventListener("dblclick", event => viewer.zoom(2, ...place(event)));
  // The wheel scrolls the page until the slide was clicked, so that nobody is caught in it.
  canvas.addEventListener("wheel", event => {
    if (document.activeElement !== canvas && !event.ctrlKey && !document.fullscreenElement) return;
    event.preventDefault();
    viewer.zoom(Math.exp(-Math.max(-120, Math.min(120, event.deltaY * (event.deltaMode ? 30 : 1))) / 300), ...place(event));
  }, { passive: false });
}

function listenToKeys(viewer) {
  const step = 80, does = {
    ArrowLeft: () => viewer.move(step, 0), ArrowRight: () => viewer.move(-step, 0), ArrowUp: () => viewer.move(0, step), ArrowDown: () => viewer.move(0, -step),
    "+": () => viewer.zoom(1.5), "=": () => viewer.zoom(1.5), "-": () => viewer.zoom(1 / 1.5), 0: () => viewer.fit(),
    d: () => viewer.find("lens").click(), l: () => viewer.find("labels").click(), Enter: () => viewer.pick(viewer.width / 2, viewer.height / 2),
    Escape: () => { if (viewer.drawing) viewer.endRegion(false); else { viewer.picked = null; viewer.tellPicked(); viewer.showCluster(null); } },
  };
  viewer.canvas.addEventListener("keydown", event => {
    if (!(event.key in does) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault(); does[event.key]();
  });
}

function listenToControls(viewer) {
  const { find, root, style } = viewer, on = (name, kind, act) => find(name).addEventListener(kind, act);
  const change = what => { style.set(what); viewer.redraw(); };
  on("in", "click", () => viewer.zoom(1.5)); on("out", "click", () => viewer.zoom(1 / 1.5)); on("fit", "click", () => viewer.fit());
  on("full", "click", () => document.fullscreenElement ? document.exitFullscreen() : find("stage").requestFullscreen());
  on("lens", "click", event => {
    viewer.lens = !viewer.lens; event.currentTarget.setAttribute("aria-pressed", viewer.lens);
    viewer.pointer ??= [viewer.width / 2, viewer.height / 2]; viewer.redraw();
  });
  let before = style.opacity;
  on("labels", "click", event => {
    const shown = style.opacity > 0; if (shown) before = style.opacity;
    change({ opacity: shown ? 0 : before || 0.9 }); event.currentTarget.setAttribute("aria-pressed", !shown); find("opacity").value = style.opacity;
  });
  on("opacity", "input", event => { change({ opacity: Number(event.target.value) }); find("labels").setAttribute("aria-pressed", style.opacity > 0); });
  on("colour", "change", event => change({ by: event.target.value }));
  on("filled", "change", event => change({ filled: event.target.checked }));
  on("show-all", "click", () => viewer.showCluster(null));
  on("cluster-of-picked", "click", () => viewer.showCluster(viewer.picked.cluster));
  const boxes = [...root.querySelectorAll("[data-class]")];
  const read = () => change({ hidden: new Set(boxes.filter(box => !box.checked).map(box => Number(box.dataset.class))) });
  boxes.forEach(box => box.addEventListener("change", read));
  on("all", "click", () => { boxes.forEach(box => { box.checked = true; }); read(); });
  on("none", "click", () => { boxes.forEach(box => { box.checked = false; }); read(); });
}

window.slideViewer = new SlideViewer(document.getElementById("viewer"), JSON.parse(document.getElementById("viewer-facts").textContent));
