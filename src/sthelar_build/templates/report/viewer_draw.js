// How the slide is drawn: tiles of the pictures, and the nuclei on top, as outlines when near and as dots from afar.

const OUTLINES_BELOW_UM = 1.1, BLOCKS_BELOW_UM = 2.2, NUCLEUS_UM = 7, NO_CLUSTER = 65535, LENS_UM = 1;
const OVERLAY_PX = 320, MOST_SQUARES = 160, FRAME_MS = 9;

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

/** Draw the nuclei of a rectangle of the H&E: left, top, right, bottom in its px; scale in css px per H&E px. */
function drawNuclei(context, nuclei, style, scale, box, umPerPx) {
  const um = umPerPx / scale;
  context.globalAlpha = style.opacity;
  if (um <= BLOCKS_BELOW_UM)
    for (const name of nuclei.namesIn(...box)) {
      const block = nuclei.block(name);
      if (block) (um <= OUTLINES_BELOW_UM ? drawOutlines : drawDots)(context, block, style, scale, box, NUCLEUS_UM / um);
    }
  else if (nuclei.overview) {
    const share = nuclei.facts.n_nuclei / nuclei.facts.n_overview;
    drawDots(context, nuclei.overview, style, scale, box, Math.max(1.2, NUCLEUS_UM / um * Math.sqrt(share)));
  }
  context.globalAlpha = 1;
}

/** Return the rows that are shown and whose centre is in a rectangle, or nearly so, by colour. */
function rowsByColour(nuclei, style, [left, top, right, bottom], margin) {
  const groups = new Map(), { x, y, n } = nuclei;
  for (let i = 0; i < n; i++) {
    if (x[i] < left - margin || x[i] > right + margin || y[i] < top - margin || y[i] > bottom + margin || !style.shows(nuclei, i)) continue;
    const colour = style.colour(nuclei, i), rows = groups.get(colour);
    if (rows) rows.push(i); else groups.set(colour, [i]);
  }
  return groups;
}

function drawOutlines(context, block, style, scale, box) {
  context.lineWidth = Math.min(2, 1 + scale); context.lineJoin = "round";
  for (const [colour, rows] of rowsByColour(block, style, box, 32 * block.coarsest)) {
    context.beginPath();
    for (const i of rows) {
      const unit = block.coarseness[i] / 4 * scale, x = (block.x[i] - box[0]) * scale, y = (block.y[i] - box[1]) * scale;
      for (let k = block.start[i], end = block.start[i + 1]; k < end; k += 2) {
        const px = x + block.steps[k] * unit, py = y + block.steps[k + 1] * unit;
        if (k === block.start[i]) context.moveTo(px, py); else context.lineTo(px, py);
      }
      context.closePath();
    }
    context.strokeStyle = context.fillStyle = colour;
    // A few nuclei alone, seen from afar, would be lost as outlines.
    if (style.filled || (style.cluster !== null && scale < 0.6)) context.fill(); else context.stroke();
  }
}

function drawDots(context, nuclei, style, scale, box, size) {
  const [left, top] = box;
  for (const [colour, rows] of rowsByColour(nuclei, style, box, size / scale)) {
    context.fillStyle = colour;
    for (const i of rows) context.fillRect((nuclei.x[i] - left) * scale - size / 2, (nuclei.y[i] - top) * scale - size / 2, size, size);
  }
}

/**
 * The nuclei, drawn once into squares that are moved along with the slide. A frame makes some of them anew, for as long as it may
 * take; where one is missing, what was drawn before shows, stretched.
 */
class Overlay {
  constructor(nuclei, style, umPerPx) { Object.assign(this, { nuclei, style, umPerPx, now: null, before: null }); }

  /** Draw what is seen; return whether there is more to do than the frame had time for. */
  draw(context, view, width, height, density, resting) {
    const { style } = this, old = this.now;
    if (!old || old.version !== style.version || old.density !== density || (old.scale !== view.scale && resting)) {
      if (old?.tiles.size) this.before = old;
      this.now = { scale: view.scale, version: style.version, density, tiles: new Map() };
    }
    const layer = this.now, side = OVERLAY_PX / layer.scale, until = performance.now() + FRAME_MS;
    const left = view.x - width / 2 / view.scale, top = view.y - height / 2 / view.scale;
    const settled = layer.scale === view.scale;
    let more = !settled;
    for (let row = Math.floor(top / side); row * side < top + height / view.scale; row++)
      for (let column = Math.floor(left / side); column * side < left + width / view.scale; column++) {
        const tile = this.tile(layer, column, row, settled && performance.now() < until);
        const place = [(column * side - left) * view.scale, (row * side - top) * view.scale, side * view.scale];
        if (tile?.canvas) context.drawImage(tile.canvas, place[0], place[1], place[2], place[2]);
        else this.drawBefore(context, view, left, top, place);
        more ||= !tile || (!tile.whole && tile.arrivals !== this.nuclei.arrivals);
      }
    return more;
  }
  tile(layer, column, row, mayMake) {
    const key = `${column}_${row}`, known = layer.tiles.get(key);
    if (known && (known.whole || known.arrivals === this.nuclei.arrivals)) return known;
    if (!mayMake) return known ?? null;
    const made = this.make(layer, column, row);
    layer.tiles.delete(key); layer.tiles.set(key, made);
    if (layer.tiles.size > MOST_SQUARES) layer.tiles.delete(layer.tiles.keys().next().value);
    return made;
  }
  make(layer, column, row) {
    const side = OVERLAY_PX / layer.scale, box = [column * side, row * side, (column + 1) * side, (row + 1) * side];
    const canvas = document.createElement("canvas"), { arrivals } = this.nuclei;
    canvas.width = canvas.height = OVERLAY_PX * layer.density;
    const context = canvas.getContext("2d");
    context.scale(layer.density, layer.density);
    drawNuclei(context, this.nuclei, this.style, layer.scale, box, this.umPerPx);
    return { canvas, arrivals, whole: this.nuclei.has(box, this.umPerPx / layer.scale <= BLOCKS_BELOW_UM) };
  }
  drawBefore(context, view, left, top, [x, y, size]) {
    if (!this.before) return;
    const side = OVERLAY_PX / this.before.scale, slide = [left + x / view.scale, top + y / view.scale], far = size / view.scale;
    context.save();
    context.beginPath(); context.rect(x, y, size, size); context.clip();
    for (let row = Math.floor(slide[1] / side); row * side < slide[1] + far; row++)
      for (let column = Math.floor(slide[0] / side); column * side < slide[0] + far; column++) {
        const tile = this.before.tiles.get(`${column}_${row}`);
        if (tile) context.drawImage(tile.canvas, (column * side - left) * view.scale, (row * side - top) * view.scale, side * view.scale, side * view.scale);
      }
    context.restore();
  }
}
