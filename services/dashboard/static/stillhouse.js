// Nothing needs this script: every page works without it.

// Keys: a button or link that names its key in data-key is pressed. Else j or n goes on and k or p goes back, as far as
// the page has such links.
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return;
  const own = [...document.querySelectorAll("[data-key]")].find((pressed) => pressed.dataset.key === event.key);
  const rel = { j: "next", n: "next", k: "prev", p: "prev" }[event.key];
  const pressed = own || (rel && document.querySelector(`a[rel="${rel}"]`));
  if (pressed) pressed.click();
});

// A page that says so is looked at again every so many seconds: its live parts are put in place of the old ones, so that
// what is typed, selected or unfolded elsewhere stays. Once nothing is live any more the whole page is loaded, as is one
// that was refused, which says so in data-refused, and now is there.
const poll = () => document.querySelector('meta[name="poll"]');

async function look(seconds) {
  if (!document.hidden) {
    try {
      const answer = await fetch(location.href);
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      const again = fresh.querySelector('meta[name="poll"]');
      if (answer.ok && (!again || "refused" in poll().dataset)) return location.reload();
      // It may say another time by now: what is training, or waits, is looked at less often.
      if (answer.ok) seconds = Number(again.content);
      for (const live of document.querySelectorAll("[data-live]")) {
        const now = answer.ok && fresh.getElementById(live.id);
        if (!now || now.outerHTML === live.outerHTML || live.contains(document.activeElement)) continue;
        const unfolded = [...live.querySelectorAll("details")].map((part) => part.open);
        now.querySelectorAll("details").forEach((part, place) => (part.open ||= unfolded[place] ?? false));
        live.replaceWith(now);
      }
    } catch {
      // The next look may reach the server again.
    }
  }
  setTimeout(look, seconds * 1000, seconds);
}

if (poll()) setTimeout(look, poll().content * 1000, Number(poll().content));
