// Width of the enclosing column and height of the window, whenever they change.

export default function (component) {
  const { parentElement, setStateValue } = component;
  const root = parentElement.querySelector(".ruler");
  let last = [0, 0];
  const tens = (value) => Math.floor(value / 10) * 10;
  const report = () => {
    const room = [tens(root.getBoundingClientRect().width), tens(window.innerHeight)];
    if (room[0] < 100 || room.every((value, i) => Math.abs(value - last[i]) < 20)) return;
    last = room;
    setStateValue("room", room);
  };
  const later = () => {
    clearTimeout(root.timer);
    root.timer = setTimeout(report, 150);
  };
  const observer = new ResizeObserver(later);
  observer.observe(root);
  window.addEventListener("resize", later);
  report();
  return () => {
    observer.disconnect();
    window.removeEventListener("resize", later);
  };
}
