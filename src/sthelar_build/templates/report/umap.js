(() => {
  const source = document.getElementById("umap-data");
  if (!source) return;
  const data = JSON.parse(source.textContent), box = document.getElementById("umap");
  const canvas = box.querySelector("canvas"), tip = box.querySelector(".tip");
  const legend = box.querySelector("fieldset"), says = document.getElementById("umap-says");
  const choice = document.getElementById("umap-colour");
  const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
  const words = text => new Uint16Array(bytes(text).buffer);
  const n = data.n_drawn, places = words(data.places), confidence = bytes(data.confidence);
  const of = { clusters: words(data.cluster), classes: bytes(data.cell_class), confidence: new Uint8Array(n) };
  const steps = ["#d1495b", "#e0853d", "#d9b83c", "#5fae7b", "#3f8fc4"];
  const groups = { clusters: data.clusters, classes: data.classes, confidence: steps.map((colour, k) => (
    { name: `${(k / 5).toFixed(1)} to ${((k + 1) / 5).toFixed(1)}`, colour, n_cells: 0 })) };
  for (let i = 0; i < n; i++) {
    of.confidence[i] = Math.min(4, Math.floor(confidence[i] / 254 * 5));
    groups.confidence[of.confidence[i]].n_cells++;
  }
  const counted = number => number.toLocaleString("en").replaceAll(",", "\u202f");
  const layer = document.createElement("canvas");
  let hidden = new Set(), focus = -1, near = -1, side = 0, x, y;

  const kind = () => choice.value;
  const shown = i => !hidden.has(of[kind()][i]);

  function paint() {
    const ratio = devicePixelRatio || 1, brush = layer.getContext("2d");
    const radius = Math.max(0.9, Math.min(3, 130 / Math.sqrt(n))) * side / 560;
    layer.width = layer.height = side * ratio;
    brush.scale(ratio, ratio);
    const numbers = of[kind()], listed = groups[kind()];
    for (let i = 0; i < n; i++) {
      const group = numbers[i];
      if (hidden.has(group)) continue;
      brush.globalAlpha = focus < 0 || focus === group ? 0.85 : 0.06;
      brush.fillStyle = listed[group].colour;
      // Of many small points nobody sees the corners, and squares are drawn many times as fast.
      if (radius < 1.4) brush.fillRect(x[i] - radius, y[i] - radius, 2 * radius, 2 * radius);
      else { brush.beginPath(); brush.arc(x[i], y[i], radius, 0, 7); brush.fill(); }
    }
    show();
  }

  function show() {
    const brush = canvas.getContext("2d");
    brush.setTransform(1, 0, 0, 1, 0, 0);
    brush.clearRect(0, 0, canvas.width, canvas.height);
    brush.drawImage(layer, 0, 0);
    if (near < 0) return;
    brush.scale(devicePixelRatio || 1, devicePixelRatio || 1);
    brush.strokeStyle = getComputedStyle(canvas).color;
    brush.lineWidth = 2;
    brush.beginPath();
    brush.arc(x[near], y[near], 6, 0, 7);
    brush.stroke();
  }

  function resize() {
    const width = canvas.parentElement.clientWidth;
    if (!width || width === side) return;
    side = width;
    canvas.width = canvas.height = side * (devicePixelRatio || 1);
    const margin = 10, span = (side - 2 * margin) / 65535;
    x = Float32Array.from({ length: n }, (_, i) => margin + places[2 * i] * span);
    y = Float32Array.from({ length: n }, (_, i) => margin + places[2 * i + 1] * span);
    paint();
  }

  function list() {
    legend.querySelectorAll("label").forEach(label => label.remove());
    groups[kind()].forEach((group, k) => {
      const label = document.createElement("label"), check = document.createElement("input");
      const swatch = document.createElement("span"), count = document.createElement("small");
      check.type = "checkbox"; check.checked = !hidden.has(k);
      check.onchange = () => { if (check.checked) hidden.delete(k); else hidden.add(k); paint(); };
      label.onpointerenter = () => { focus = k; paint(); };
      label.onpointerleave = () => { focus = -1; paint(); };
      swatch.className = "swatch"; swatch.style.setProperty("--c", group.colour);
      count.textContent = counted(group.n_cells);
      const name = kind() === "clusters" ? `${group.name} ${group.class_name}` : group.name;
      label.append(check, swatch, name, " ", count);
      legend.append(label);
    });
  }

  const about = i => {
    const cluster = data.clusters[of.clusters[i]], cell = data.classes[of.classes[i]];
    const sure = confidence[i] === 255 ? "unknown" : (confidence[i] / 254).toFixed(2);
    return `Cluster ${cluster.name}, class ${cell.name}, confidence ${sure}`;
  };

  canvas.onpointermove = event => {
    let nearest = -1, least = 144;
    for (let i = 0; i < n; i++) {
      const far = (x[i] - event.offsetX) ** 2 + (y[i] - event.offsetY) ** 2;
      if (far < least && shown(i)) { least = far; nearest = i; }
    }
    if (nearest === near) return;
    near = nearest;
    tip.hidden = near < 0;
    if (near >= 0) {
      tip.textContent = about(near);
      const right = x[near] > side / 2, low = y[near] > side / 2;
      Object.assign(tip.style, {
        left: right ? "auto" : `${x[near] + 12}px`, right: right ? `${side - x[near] + 12}px` : "auto",
        top: low ? "auto" : `${y[near] + 8}px`, bottom: low ? `${side - y[near] + 8}px` : "auto",
      });
    }
    show();
  };
  canvas.onpointerleave = () => { near = -1; tip.hidden = true; show(); };

  canvas.onkeydown = event => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key], listed = groups[kind()];
    if (event.key === "Escape") focus = -1;
    else if (step) focus = (focus + step + listed.length + (focus < 0 && step < 0 ? 1 : 0)) % listed.length;
    else return;
    event.preventDefault();
    const group = listed[focus], of_class = kind() === "clusters" ? `, decided ${group?.class_name}` : "";
    says.textContent = focus < 0 ? "All groups are shown."
      : `${choice.selectedOptions[0].text} ${group.name}: ${counted(group.n_cells)} cells${of_class}.`;
    paint();
  };
  canvas.onblur = () => { if (focus >= 0) { focus = -1; paint(); } };

  choice.onchange = () => { hidden = new Set(); focus = -1; list(); paint(); };
  document.getElementById("umap-all").onclick = () => { hidden = new Set(); list(); paint(); };
  document.getElementById("umap-none").onclick = () => { hidden = new Set(groups[kind()].keys()); list(); paint(); };

  box.hidden = false;
  list();
  new ResizeObserver(resize).observe(canvas.parentElement);
})();
