// A number of this browser's own, and a word when a lost connection is back.

export default function (component) {
  const name = "rsam-browser";
  const app = document.querySelector("[data-test-connection-state]");
  let cut = false, later = 0;
  const watch = new MutationObserver(() => {
    if (app.dataset.testConnectionState !== "CONNECTED") {
      cut = true;
    } else if (cut) {
      // The server may have been started anew and know nothing of what is still on the screen.
      cut = false;
      clearTimeout(later);
      later = setTimeout(() => component.setStateValue("back", Date.now()), 800);
    }
  });
  if (app) watch.observe(app, { attributeFilter: ["data-test-connection-state"] });
  const leave = () => { watch.disconnect(); clearTimeout(later); };
  let id = null;
  try {
    id = localStorage.getItem(name);
    if (!id) {
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      localStorage.setItem(name, id);
    }
  } catch (error) {
    // A browser that keeps nothing has nothing to find again.
    return leave;
  }
  if (component.data !== id) component.setStateValue("id", id);
  return leave;
}
