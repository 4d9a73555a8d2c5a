// Keys on a page: j or n goes on, k or p goes back, as far as the page has such links. Nothing needs this script.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const rel = { j: "next", n: "next", k: "prev", p: "prev" }[event.key];
  const link = rel && document.querySelector(`a[rel="${rel}"]`);
  if (link) link.click();
});
