// Tiles and blocks of the slide, each loaded when it is first looked at. A page opened from disk may not fetch files, but it
// may load pictures and scripts: a block is a script that calls viewerBlock with its bytes.

function bytesOf(text) {
  const characters = atob(text), bytes = new Uint8Array(characters.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = characters.charCodeAt(i);
  return bytes.buffer;
}

/** Keeps what was used last; what it forgets is loaded again when it is needed. */
class Recent {
  constructor(most) { this.most = most; this.items = new Map(); }
  get(key) {
    const item = this.items.get(key);
    if (item !== undefined) { this.items.delete(key); this.items.set(key, item); }
    return item;
  }
  set(key, item) {
    this.items.set(key, item);
    if (this.items.size > this.most) this.items.delete(this.items.keys().next().value);
  }
}

/** The pictures of one kind, he or dapi. */
class Tiles {
  constructor(facts, kind, loaded, lost) {
    Object.assign(this, { facts: facts.images, embedded: facts.tiles, kind, loaded, lost, known: new Recent(500) });
  }
  /** Return the picture of a tile, or null while it is on its way (or, if it is not wanted, unknown). */
  get(level, column, row, wanted) {
    const name = `${this.kind}/${level}_${column}_${row}.jpg`;
    let picture = this.known.get(name);
    if (!picture && wanted) {
      picture = new Image();
      picture.decoding = "async"; picture.onload = this.loaded; picture.onerror = () => this.lost(this.facts.folder);
      picture.src = this.embedded[name] ?? `${this.facts.folder}/${name}`;
      this.known.set(name, picture);
    }
    return picture && picture.complete && picture.naturalWidth ? picture : null;
  }
}

/** Columns of one block; x and y are level-0 px of the H&E. */
function decodedBlock(ids, text, left, top) {
  const buffer = bytesOf(text), n = ids.length, shorts = new Uint16Array(buffer, 0, 4 * n);
  const octets = k => new Uint8Array(buffer, 8 * n + k * n, n);
  const x = new Float64Array(n), y = new Float64Array(n), start = new Uint32Array(n + 1), corners = octets(3), coarseness = octets(4);
  let coarsest = 1;
  for (let i = 0; i < n; i++) {
    x[i] = left + shorts[i] / 4; y[i] = top + shorts[n + i] / 4; start[i + 1] = start[i] + 2 * corners[i];
    coarsest = Math.max(coarsest, coarseness[i]);
  }
  return { n, ids, x, y, cluster: shorts.subarray(2 * n, 3 * n), fine: shorts.subarray(3 * n), kind: octets(0), confidence: octets(1),
    decided: octets(2), coarseness, coarsest, start, steps: new Int8Array(buffer, 13 * n) };
}

/** The labelled nuclei: an overview of dots, and blocks of outlines. */
class Nuclei {
  constructor(facts, loaded, lost) {
    this.facts = facts.nuclei; this.lost = lost; this.blocks = new Recent(250); this.texts = new Map(); this.overview = null;
    this.embedded = document.querySelector("script[data-viewer-block]") !== null; this.arrivals = 0;
    window.viewerOverview = text => { this.overview = this.decodedOverview(text); this.arrivals++; loaded(); };
    window.viewerBlock = (name, ids, text) => {
      if (this.embedded) this.texts.set(name, [ids, text]); else this.keep(name, ids, text);
      this.arrivals++; loaded();
    };
    if (!this.embedded) this.load("overview");
  }
  decodedOverview(text) {
    const buffer = bytesOf(text), n = buffer.byteLength / 8, shorts = new Uint16Array(buffer, 0, 3 * n), unit = this.facts.overview_unit_px;
    const x = Float32Array.from(shorts.subarray(0, n), value => value * unit), y = Float32Array.from(shorts.subarray(n, 2 * n), value => value * unit);
    return { n, x, y, cluster: shorts.subarray(2 * n), kind: new Uint8Array(buffer, 6 * n, n), confidence: new Uint8Array(buffer, 7 * n, n) };
  }
  keep(name, ids, text) {
    const [column, row] = name.split("_").map(Number), side = this.facts.block_px;
    const block = decodedBlock(ids, text, column * side, row * side);
    this.blocks.set(name, block);
    return block;
  }
  load(name) {
    const script = document.createElement("script");
    script.src = `${this.facts.folder}/${name}.js`;
    script.onload = () => script.remove();
    script.onerror = () => this.lost(this.facts.folder);
    document.head.append(script);
  }
  /** Return a block; null if it holds nothing or is on its way. */
  block(name) {
    if (!(name in this.facts.blocks)) return null;
    const known = this.blocks.get(name);
    if (known !== undefined) return known;
    if (this.embedded) return this.texts.has(name) ? this.keep(name, ...this.texts.get(name)) : null;
    this.blocks.set(name, null);
    this.load(name);
    return null;
  }
  /** Return whether all nuclei of a rectangle of the H&E have arrived: its blocks, or the overview. */
  has(box, inBlocks) {
    return inBlocks ? this.namesIn(...box).every(name => this.block(name) !== null) : this.overview !== null;
  }
  /** Return the names of the blocks that a rectangle of the H&E touches. */
  namesIn(left, top, right, bottom) {
    const side = this.facts.block_px, names = [], margin = side / 20;
    for (let row = Math.floor((top - margin) / side); row <= (bottom + margin) / side; row++)
      for (let column = Math.floor((left - margin) / side); column <= (right + margin) / side; column++)
        if (`${column}_${row}` in this.facts.blocks) names.push(`${column}_${row}`);
    return names;
  }
}
