// Buttons of the table of clusters, and of patches: shown where the page has what they act on.
addEventListener("DOMContentLoaded", () => {
  const acts = {
    show: window.slideViewer && (row => window.slideViewer?.showCluster(row.cluster)),
    square: window.slideViewer && (patch => window.slideViewer?.showSquare(...patch.square.split(" ").map(Number))),
    relabel: window.review && (row => window.review?.chooseCluster(row.cluster, row.key)),
  };
  for (const button of document.querySelectorAll("button[data-act]")) {
    const act = acts[button.dataset.act];
    button.hidden = !act;
    if (act) button.onclick = () => act(button.dataset);
  }
});

// A tap shows the plain H&E of a patch, another one the outlines again.
for (const button of document.querySelectorAll(".peek")) {
  button.onclick = () => button.setAttribute("aria-pressed", button.getAttribute("aria-pressed") !== "true");
}

// On paper nothing can be opened.
let opened = [];
addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("details:not([open])")];
  opened.forEach(one => { one.open = true; });
});
addEventListener("afterprint", () => opened.forEach(one => { one.open = false; }));
