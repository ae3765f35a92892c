
"use strict";
(() => {
  // ---- Tables: a header's button sorts the rows, again the other way round. NULL stays at the end.
  const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });
  const key = (row, i) => {
    const cell = row.cells[i];
    if (cell.dataset.k !== undefined) return Number(cell.dataset.k);
    return cell.classList.contains("n") || cell.querySelector(".null") ? null : cell.textContent;
  };
  for (const table of document.querySelectorAll("table.sortable")) {
    table.tHead.addEventListener("click", event => {
      const header = event.target.closest("button")?.closest("th");
      if (!header) return;
      const down = header.getAttribute("aria-sort") === "ascending";
      const rows = [...table.tBodies[0].rows].map(row => [key(row, header.cellIndex), Number(row.cells[0].dataset.k), row]);
      rows.sort(([a, m], [b, n]) => {
        if (a === null || b === null) return (a === null) - (b === null) || m - n;
        const order = typeof a === "number" ? a - b : words.compare(a, b);
        return (down ? -order : order) || m - n;
      });
      for (const other of table.tHead.rows[0].cells) other.setAttribute("aria-sort", "none");
      header.setAttribute("aria-sort", down ? "descending" : "ascending");
      table.tBodies[0].append(...rows.map(row => row[2]));
    });
  }

  // ---- In a frame: the page around it is told how high this one is.
  if (parent !== window) {
    new ResizeObserver(() => parent.postMessage({ height: document.body.scrollHeight }, "*")).observe(document.body);
  }

  // ---- Crystals. A browser has few WebGL contexts: those in sight have one, and give it back when they leave.
  if (typeof $3Dmol === "undefined") return;
  const MOST = 8;
  const live = [];
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const TURN = 16; // degrees a second
  const TILT = 12; // degrees from above
  // Where the processor draws, a crystal is drawn at half the fineness and more seldom.
  const slow = (() => {
    const context = document.createElement("canvas").getContext("webgl2");
    const name = context?.getExtension("WEBGL_debug_renderer_info")?.UNMASKED_RENDERER_WEBGL;
    const renderer = name ? context.getParameter(name) : "";
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    return /swiftshader|llvmpipe|software/i.test(renderer);
  })();

  /** The mesh that a circle leaves as it moves along a line of points, its ends closed. */
  function tube(points, radius, sides = 28) {
    const sub = (a, b) => a.map((x, k) => x - b[k]);
    const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
    const cross = (a, b) => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
    const unit = a => { const n = Math.hypot(...a) || 1; return a.map(x => x / n); };
    const xyz = ([x, y, z]) => ({ x, y, z });
    points = points.filter((p, i) => i === 0 || Math.hypot(...sub(p, points[i - 1])) > 1e-3);
    if (points.length < 2) return null;
    const vertexArr = [], normalArr = [], faceArr = [];
    let across = null;
    points.forEach((p, i) => {
      const along = unit(sub(points[Math.min(i + 1, points.length - 1)], points[Math.max(i - 1, 0)]));
      // The frame is carried from point to point, so that the tube does not twist.
      across ??= Math.abs(along[0]) < 0.9 ? [1, 0, 0] : [0, 1, 0];
      across = unit(sub(across, along.map(x => x * dot(across, along))));
      const third = cross(along, across);
      for (let s = 0; s < sides; s++) {
        const [c, d] = [Math.cos(2 * Math.PI * s / sides), Math.sin(2 * Math.PI * s / sides)];
        const out = across.map((x, k) => c * x + d * third[k]);
        normalArr.push(xyz(out));
        vertexArr.push(xyz(p.map((x, k) => x + radius * out[k])));
      }
      if (i > 0) for (let s = 0; s < sides; s++) {
        const [a, b] = [(i - 1) * sides + s, (i - 1) * sides + (s + 1) % sides];
        faceArr.push(a, b, a + sides, b, b + sides, a + sides);
      }
    });
    for (const [end, from] of [[0, 1], [points.length - 1, points.length - 2]]) {
      const out = xyz(unit(sub(points[end], points[from])));
      const middle = vertexArr.length;
      vertexArr.push(xyz(points[end]));
      normalArr.push(out);
      for (let s = 0; s < sides; s++) { vertexArr.push(vertexArr[end * sides + s]); normalArr.push(out); }
      for (let s = 0; s < sides; s++) {
        const [a, b] = [middle + 1 + s, middle + 1 + (s + 1) % sides];
        faceArr.push(middle, ...(end === 0 ? [b, a] : [a, b]));
      }
    }
    return { vertexArr, normalArr, faceArr };
  }

  function build(stage, scene) {
    // On a canvas one sees through, what is half transparent would not be seen.
    const paper = dark.matches ? "#1c2127" : "#f4f6f8";
    const viewer = $3Dmol.createViewer(stage, { backgroundColor: paper, antialias: !slow, upscale: !slow });
    if (!viewer) return null;
    const line = dark.matches ? "#8b96a1" : "#5b6570";
    const atoms = scene.atoms.map(([e, p], i) => ({
      elem: scene.elements[e].symbol, x: p[0], y: p[1], z: p[2], serial: i, index: i, bonds: [], bondOrder: [],
    }));
    for (const [i, j] of scene.bonds) {
      atoms[i].bonds.push(j); atoms[i].bondOrder.push(1);
      atoms[j].bonds.push(i); atoms[j].bondOrder.push(1);
    }
    viewer.addModel().addAtoms(atoms);
    for (const { symbol, colour, radius } of scene.elements) {
      viewer.setStyle({ elem: symbol }, { sphere: { radius, color: colour }, stick: { radius: scene.stick, color: colour } });
    }
    const point = ([x, y, z]) => ({ x, y, z });
    const box = viewer.addShape({ color: line });
    for (const [from, to] of scene.edges) {
      box.addCylinder({ start: point(from), end: point(to), radius: 0.025, fromCap: 1, toCap: 1 });
    }
    const [origin, ...ends] = scene.axes;
    ends.forEach((end, k) => {
      const length = Math.hypot(...end.map((x, m) => x - origin[m]));
      const at = end.map((x, m) => x + 0.55 * (x - origin[m]) / length);
      viewer.addLabel("abc"[k], {
        position: point(at), fontColor: dark.matches ? "white" : "black", backgroundOpacity: 0, fontSize: 15, alignment: "center", inFront: false,
      });
    });
    for (const { radius, points } of scene.tubes) {
      const mesh = tube(points, radius);
      if (mesh) viewer.addCustom({ ...mesh, color: dark.matches ? "#56B4E9" : "#0072B2", opacity: 0.55 });
    }
    viewer.setHoverable({}, true,
      atom => { atom.label ??= viewer.addLabel(atom.elem, { position: atom, fontSize: 13, backgroundColor: "black", backgroundOpacity: 0.75 }); },
      atom => { if (atom.label) { viewer.removeLabel(atom.label); delete atom.label; } });
    viewer.zoomTo();
    viewer.zoom(fit(scene, stage.clientWidth / stage.clientHeight));
    viewer.render();
    return viewer;
  }

  /** How much nearer the camera may come than for the sphere around all atoms, so that what turns about y fills the stage. */
  function fit(scene, aspect) {
    const atoms = scene.atoms.map(([, p]) => p);
    const ends = [0, 1, 2].map(k => [Math.min(...atoms.map(p => p[k])), Math.max(...atoms.map(p => p[k]))]);
    const from = p => p.map((x, k) => x - (ends[k][0] + ends[k][1]) / 2);
    const all = [...scene.atoms.map(([e, p]) => [p, scene.elements[e].radius]), ...scene.tubes.flatMap(t => t.points.map(p => [p, t.radius]))];
    let [sphere, high, wide] = [1, 1, 1];
    for (const p of atoms) sphere = Math.max(sphere, Math.hypot(...from(p)));
    for (const [p, radius] of all) {
      const [x, y, z] = from(p);
      const flat = Math.hypot(x, z);
      high = Math.max(high, Math.abs(y) + flat * Math.sin(TILT * Math.PI / 180) + radius);
      wide = Math.max(wide, flat + radius);
    }
    return 0.94 * Math.min(sphere / high, aspect * sphere / wide);
  }

  function start(view) {
    if (view.viewer || view.flat) return;
    while (live.length >= MOST) stop(live[0]);
    const scene = JSON.parse(document.getElementById(view.root.dataset.scene).textContent);
    view.root.classList.add("live");
    try {
      view.viewer = build(view.stage, scene);
    } catch (error) {
      view.viewer = null;
    }
    if (!view.viewer) { // No WebGL: the picture stays.
      view.root.classList.remove("live", "ready");
      view.flat = true;
      return;
    }
    view.root.viewer = view.viewer;
    view.along = view.viewer.getView();
    if (view.last) {
      view.viewer.setView(view.last);
    } else {
      view.viewer.rotate(-20, "y");
      view.viewer.rotate(TILT, "x");
    }
    live.push(view);
    view.root.classList.add("ready");
    spin(view, view.turns);
  }

  function stop(view) {
    if (!view.viewer) return;
    view.last = view.viewer.getView();
    const canvas = view.stage.querySelector("canvas");
    const context = canvas && (canvas.getContext("webgl2") || canvas.getContext("webgl"));
    view.viewer.clear();
    view.stage.replaceChildren();
    context?.getExtension("WEBGL_lose_context")?.loseContext();
    view.viewer = view.root.viewer = null;
    view.root.classList.remove("live");
    live.splice(live.indexOf(view), 1);
  }

  function spin(view, turns) {
    view.turns = turns;
    view.button.textContent = turns ? "Stop" : "Turn";
    if (turns && !turning) turning = requestAnimationFrame(frame);
  }

  // One clock turns all that turn, by the time that has gone by.
  let turning = 0, before = 0;
  function frame(now) {
    const views = live.filter(view => view.turns);
    const passed = Math.min(now - before, 200);
    if (now - before >= (slow ? 120 : 15)) {
      before = now;
      for (const view of views) view.viewer.rotate(TURN * passed / 1000, "y");
    }
    turning = views.length ? requestAnimationFrame(frame) : 0;
  }

  const seen = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) (isIntersecting ? start : stop)(target.view);
  }, { rootMargin: "80px" });

  for (const root of document.querySelectorAll(".view")) {
    const view = root.view = {
      root, stage: root.querySelector(".stage"), button: root.querySelector("[data-do=spin]"), turns: !calm.matches,
    };
    root.querySelector(".tools").addEventListener("click", event => {
      const button = event.target.closest("button");
      const what = button?.dataset.do;
      if (what === "flat") {
        const flat = view.flat = !view.flat;
        button.setAttribute("aria-pressed", flat);
        for (const other of root.querySelectorAll(".tools button:not([data-do=flat])")) other.disabled = flat;
        flat ? stop(view) : start(view);
      } else if (what === "spin") {
        spin(view, !view.turns);
      } else if (what === "along" && view.viewer) {
        spin(view, false);
        view.viewer.setView(view.along);
      }
    });
    // The wheel scrolls the page; with Ctrl it comes nearer.
    view.stage.addEventListener("wheel", event => { if (!event.ctrlKey) event.stopPropagation(); }, { capture: true });
    view.stage.addEventListener("keydown", event => {
      const turn = { ArrowLeft: [-6, "y"], ArrowRight: [6, "y"], ArrowUp: [-6, "x"], ArrowDown: [6, "x"] }[event.key];
      if (!turn || !view.viewer) return;
      event.preventDefault();
      spin(view, false);
      view.viewer.rotate(...turn);
    });
    seen.observe(root);
  }
  dark.addEventListener("change", () => { for (const view of [...live]) { stop(view); start(view); } });
})();
