for (const block of document.querySelectorAll(".code")) {
  const pre = block.querySelector("pre"), button = document.createElement("button");
  button.type = "button"; button.textContent = "Copy"; button.setAttribute("aria-label", `Copy the code for ${block.dataset.name}`);
  const said = text => { button.textContent = text; setTimeout(() => { button.textContent = "Copy"; }, 2000); };
  button.onclick = async () => {
    try { await navigator.clipboard.writeText(pre.textContent); said("Copied"); }
    catch { getSelection().selectAllChildren(pre); said("Selected: Ctrl+C"); }
  };
  block.prepend(button);
}
