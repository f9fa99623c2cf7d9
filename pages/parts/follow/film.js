// The frames of a series as a strip of small pictures, one of which is shown large.

const known = new WeakMap();

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const film = parentElement.querySelector(".film");
  const before = known.get(film) || { now: -1, count: 0 };
  const [width, height] = data.cell;

  if (before.count !== data.labels.length) film.replaceChildren();
  data.labels.forEach((label, index) => {
    let cell = film.children[index];
    if (!cell) {
      cell = document.createElement("button");
      cell.type = "button";
      cell.tabIndex = -1;
      cell.setAttribute("role", "option");
      cell.append(document.createElement("span"));
      cell.onclick = () => setTriggerValue("frame", index);
      film.append(cell);
    }
    const state = data.states[index];
    cell.className = ["cell", state, index === data.now ? "now" : ""].join(" ").trim();
    cell.setAttribute("aria-selected", index === data.now ? "true" : "false");
    cell.title = label + (state === "lost" ? ": not found" : state === "marked" ? ": marked" : "");
    cell.firstChild.textContent = label;
    cell.style.width = width + 4 + "px";
    cell.style.height = height + 4 + "px";
    // All small pictures lie in one, below each other.
    cell.style.backgroundImage = `url("${data.url}")`;
    cell.style.backgroundPosition = `0 ${-index * height}px`;
  });
  film.onkeydown = (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = data.now + (step || 0);
    if (!step || next < 0 || next >= data.labels.length) return;
    event.preventDefault();
    setTriggerValue("frame", next);
  };
  const now = film.children[data.now];
  if (now && (before.now !== data.now || before.count !== data.labels.length)) {
    // Only the strip scrolls, never the page.
    film.scrollLeft = now.offsetLeft - film.offsetLeft - (film.clientWidth - now.clientWidth) / 2;
  }
  known.set(film, { now: data.now, count: data.labels.length });
}
