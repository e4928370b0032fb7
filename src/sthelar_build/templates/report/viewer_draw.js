// How the slide is drawn: tiles of the pictures, and the nuclei on top, as outlines when near and as dots from afar.

const OUTLINES_BELOW_UM = 1.1, BLOCKS_BELOW_UM = 2.2, NUCLEUS_UM = 7, NO_CLUSTER = 65535, MARGIN = 0.3;

/** Which nuclei are shown, in which colours. A change of anything gives a new version, by which drawings are kept. */
class Style {
  constructor(facts) {
    this.colours = Object.fromEntries(facts.classes.map(one => [one.index, one.colour]));
    this.hidden = new Set(); this.cluster = null; this.by = "class"; this.filled = false; this.opacity = 0.9; this.version = 0;
  }
  set(change) { Object.assign(this, change); this.version++; }
  shows(nuclei, i) {
    return !this.hidden.has(nuclei.kind[i]) && (this.cluster === null || nuclei.cluster[i] === this.cluster);
  }
  colour(nuclei, i) {
    if (this.by === "class") return this.colours[nuclei.kind[i]];
    if (this.by === "confidence") return this.ofConfidence(nuclei.confidence[i]);
    return this.ofCluster(nuclei.cluster[i]);
  }
  ofCluster(cluster) {
    return cluster === NO_CLUSTER ? "#999999" : `hsl(${Math.round(cluster * 137.508 % 360)} 75% ${cluster % 2 ? 42 : 58}%)`;
  }
  ofConfidence(value) {
    const share = Math.round(value / 255 * 8) / 8;
    return `hsl(${Math.round(200 * share)} 80% 45%)`;
  }
}

/** Return the rows of nuclei that are shown, by colour. */
function rowsByColour(nuclei, style, inside) {
  const groups = new Map();
  for (let i = 0; i < nuclei.n; i++) {
    if (!style.shows(nuclei, i) || (inside && !inside(i))) continue;
    const colour = style.colour(nuclei, i), rows = groups.get(colour);
    if (rows) rows.push(i); else groups.set(colour, [i]);
  }
  return groups;
}

/** Return the outlines of a block by colour, relative to the corner of the block; kept until the style changes. */
function pathsOf(block, style, left, top) {
  if (block.version === style.version) return block.paths;
  block.version = style.version; block.paths = new Map();
  for (const [colour, rows] of rowsByColour(block, style)) {
    const path = new Path2D();
    for (const i of rows) {
      const unit = block.coarseness[i] / 4, x = block.x[i] - left, y = block.y[i] - top;
      for (let k = block.start[i]; k < block.start[i + 1]; k += 2) {
        const px = x + block.steps[k] * unit, py = y + block.steps[k + 1] * unit;
        if (k === block.start[i]) path.moveTo(px, py); else path.lineTo(px, py);
      }
      if (block.start[i + 1] > block.start[i]) path.closePath();
    }
    block.paths.set(colour, path);
  }
  return block.paths;
}

/** Draw the tiles of a view: x, y of its middle in H&E px, scale in css px per H&E px. */
function drawTiles(context, tiles, view, width, height, density) {
  const { levels, downsample, tile_px } = tiles.facts, left = view.x - width / 2 / view.scale, top = view.y - height / 2 / view.scale;
  const finest = Math.max(0, Math.min(levels.length - 1, Math.floor(Math.log2(1.2 / (view.scale * density * downsample)))));
  context.imageSmoothingQuality = "high";
  for (let level = levels.length - 1; level >= finest; level--) {
    const side = tile_px * downsample * 2 ** level, { columns, rows } = levels[level];
    const wanted = level === finest || level === levels.length - 1;
    for (let row = Math.max(0, Math.floor(top / side)); row < rows && row * side < top + height / view.scale; row++)
      for (let column = Math.max(0, Math.floor(left / side)); column < columns && column * side < left + width / view.scale; column++) {
        const picture = tiles.get(level, column, row, wanted);
        if (!picture) continue;
        const size = downsample * 2 ** level * view.scale, x = (column * side - left) * view.scale, y = (row * side - top) * view.scale;
        // A hair of overlap: no seams between tiles at fractional scales.
        context.drawImage(picture, x, y, picture.naturalWidth * size + 0.6, picture.naturalHeight * size + 0.6);
      }
  }
}

/** Draw the nuclei of a view. */
function drawNuclei(context, nuclei, style, view, width, height, umPerPx) {
  const left = view.x - width / 2 / view.scale, top = view.y - height / 2 / view.scale, um = umPerPx / view.scale;
  const box = [left, top, left + width / view.scale, top + height / view.scale];
  context.globalAlpha = style.opacity;
  if (um <= OUTLINES_BELOW_UM) drawOutlines(context, nuclei, style, view, box);
  else if (um <= BLOCKS_BELOW_UM) for (const name of nuclei.namesIn(...box)) drawDots(context, nuclei.block(name), style, view, box, NUCLEUS_UM / um);
  else drawDots(context, nuclei.overview, style, view, box, Math.max(1.2, NUCLEUS_UM / um * Math.sqrt(nuclei.facts.n_nuclei / nuclei.facts.n_overview)));
  context.globalAlpha = 1;
}

function drawOutlines(context, nuclei, style, view, box) {
  const side = nuclei.facts.block_px;
  for (const name of nuclei.namesIn(...box)) {
    const block = nuclei.block(name), [column, row] = name.split("_").map(Number);
    if (!block) continue;
    context.save();
    context.translate((column * side - box[0]) * view.scale, (row * side - box[1]) * view.scale);
    context.scale(view.scale, view.scale);
    context.lineWidth = 2 / view.scale; context.lineJoin = "round";
    for (const [colour, path] of pathsOf(block, style, column * side, row * side)) {
      context.strokeStyle = context.fillStyle = colour;
      if (style.filled) context.fill(path); else context.stroke(path);
    }
    context.restore();
  }
}

function drawDots(context, nuclei, style, view, box, size) {
  if (!nuclei) return;
  const [left, top, right, bottom] = box, inside = i => nuclei.x[i] >= left && nuclei.x[i] <= right && nuclei.y[i] >= top && nuclei.y[i] <= bottom;
  for (const [colour, rows] of rowsByColour(nuclei, style, inside)) {
    context.fillStyle = colour;
    for (const i of rows) context.fillRect((nuclei.x[i] - left) * view.scale - size / 2, (nuclei.y[i] - top) * view.scale - size / 2, size, size);
  }
}

/** A drawing of the nuclei, somewhat larger than what is seen: while the view moves it is moved along, and made anew when at rest. */
class Overlay {
  constructor() { this.canvas = document.createElement("canvas"); this.view = null; }
  fits(view, width, height, version) {
    if (!this.view || this.version !== version || this.view.scale !== view.scale || this.width !== width || this.height !== height) return false;
    const far = MARGIN * view.scale ** -1;
    return Math.abs(view.x - this.view.x) <= far * width && Math.abs(view.y - this.view.y) <= far * height;
  }
  make(nuclei, style, view, width, height, density, umPerPx) {
    const wide = width * (1 + 2 * MARGIN), high = height * (1 + 2 * MARGIN);
    this.canvas.width = wide * density; this.canvas.height = high * density;
    const context = this.canvas.getContext("2d");
    context.scale(density, density);
    drawNuclei(context, nuclei, style, view, wide, high, umPerPx);
    Object.assign(this, { view: { ...view }, version: style.version, width, height, wide, high });
  }
  draw(context, view, width, height) {
    if (!this.view) return;
    const ratio = view.scale / this.view.scale, wide = this.wide * ratio, high = this.high * ratio;
    const x = width / 2 + (this.view.x - view.x) * view.scale - wide / 2, y = height / 2 + (this.view.y - view.y) * view.scale - high / 2;
    context.drawImage(this.canvas, x, y, wide, high);
  }
}
