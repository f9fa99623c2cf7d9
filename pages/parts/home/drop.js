// A file dropped anywhere on the page goes to the field that takes it.

export default function (component) {
  const veil = document.createElement("div");
  veil.className = "rsam-veil";
  veil.textContent = component.data;
  Object.assign(veil.style, {
    position: "fixed", inset: "0", zIndex: "999970", display: "none", placeItems: "center",
    background: "rgb(15 118 110 / 82%)", color: "#fff", font: "600 1.6rem sans-serif",
    // What lies below still takes the file where it wants it itself.
    pointerEvents: "none",
  });
  document.body.append(veil);
  const fields = () =>
    [...document.querySelectorAll('[data-testid="stFileUploader"] input[type="file"]')];
  const carries = (event) => [...(event.dataTransfer?.types || [])].includes("Files");
  const show = (shown) => { veil.style.display = shown ? "grid" : "none"; };
  const takes = (field, name) =>
    field.accept.split(",").some((ending) => ending && name.endsWith(ending.trim().toLowerCase()));

  const over = (event) => {
    if (!carries(event) || !fields().length) return;
    event.preventDefault();
    show(true);
  };
  const leave = (event) => { if (event.relatedTarget === null) show(false); };
  const drop = (event) => {
    show(false);
    if (!carries(event)) return;
    if (event.target.closest?.('[data-testid="stFileUploader"]')) return;
    const all = fields();
    if (!all.length) return;
    event.preventDefault();
    const files = event.dataTransfer.files;
    const name = (files[0]?.name || "").toLowerCase();
    // What none takes goes to the first one, which says so.
    const field = all.find((one) => takes(one, name)) || all[0];
    const given = new DataTransfer();
    for (const file of files) {
      given.items.add(file);
      if (!field.multiple) break;
    }
    field.files = given.files;
    field.dispatchEvent(new Event("change", { bubbles: true }));
  };
  window.addEventListener("dragenter", over);
  window.addEventListener("dragover", over);
  window.addEventListener("dragleave", leave);
  window.addEventListener("drop", drop);
  return () => {
    window.removeEventListener("dragenter", over);
    window.removeEventListener("dragover", over);
    window.removeEventListener("dragleave", leave);
    window.removeEventListener("drop", drop);
    veil.remove();
  };
}
