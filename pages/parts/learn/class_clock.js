// A clock that runs in the browser, so that thirty of them cost the server nothing.

const SHORT = 10;
const clocks = new WeakMap();

function written(seconds) {
  const whole = Math.max(0, seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const face = parentElement.querySelector(".clock");
  const said = parentElement.querySelector(".clock-said");
  let state = clocks.get(face);
  if (!state || state.stamp !== data.stamp) {
    if (state) clearInterval(state.ticking);
    state = { stamp: data.stamp, from: performance.now(), told: false };
    clocks.set(face, state);
  }
  clearInterval(state.ticking);
  const tick = () => {
    const passed = (performance.now() - state.from) / 1000;
    const left = data.down ? Math.ceil(data.seconds - passed) : Math.floor(data.seconds + passed);
    face.querySelector(".clock-time").textContent = written(left);
    const short = data.down && left <= SHORT;
    if (short && !face.classList.contains("short")) said.textContent = data.hurry;
    face.classList.toggle("short", short);
    if (data.down && passed >= data.seconds && !state.told) {
      state.told = true;
      setTriggerValue("end", true);
    }
  };
  face.setAttribute("aria-label", data.label);
  state.ticking = setInterval(tick, 250);
  tick();
  return () => clearInterval(state.ticking);
}
