// @ts-check
// Where on Earth a place of the scene lies, in words.

/** @typedef {import("./types.js").Pair} Pair */
/** @typedef {import("./types.js").Place} Place */

/**
 * Longitude and latitude of a place of the scene, between those that the program sent.
 *
 * @param {Place} place
 * @param {Pair} scene Its width and height
 * @param {Pair} at Scene pixels
 * @returns {Pair | null} Degrees; null outside the scene
 */
export function onEarth({ grid }, [width, height], [x, y]) {
  if (x < 0 || y < 0 || x > width || y > height) return null;
  const cells = Math.round(Math.sqrt(grid.length)) - 1;
  const u = (x / width) * cells, v = (y / height) * cells;
  const column = Math.min(Math.floor(u), cells - 1), row = Math.min(Math.floor(v), cells - 1);
  const fx = u - column, fy = v - row, corner = row * (cells + 1) + column;
  /** @param {0 | 1} i */
  const mixed = (i) =>
    (grid[corner][i] * (1 - fx) + grid[corner + 1][i] * fx) * (1 - fy) +
    (grid[corner + cells + 1][i] * (1 - fx) + grid[corner + cells + 2][i] * fx) * fy;
  const longitude = mixed(0);
  return [((((longitude + 180) % 360) + 360) % 360) - 180, mixed(1)];
}

/**
 * Degrees as people write them.
 *
 * @param {Pair} place Longitude and latitude
 */
export function inWords([longitude, latitude]) {
  const north = latitude < 0 ? "S" : "N", east = longitude < 0 ? "W" : "E";
  return `${Math.abs(latitude).toFixed(5)}° ${north}, ${Math.abs(longitude).toFixed(5)}° ${east}`;
}
