// @ts-check
// What canvas and program tell each other, for those who read and check the other files.
//
// The same keys stand in rsam_core/prompts/canvas_events.py; a test compares the two.

/**
 * A box (x0, y0, x1, y1), a place (x, y) or a size (width, height).
 *
 * @typedef {[number, number, number, number]} Box
 * @typedef {[number, number]} Pair
 */

/**
 * A picture and the box of the scene that it shows.
 *
 * @typedef {object} Layer
 * @property {string} url
 * @property {Box} box
 * @property {boolean} smooth Whether it is smoothed where it is enlarged.
 * @property {Box} [region] Of the objects: the part of the scene in which they were drawn.
 */

/**
 * Outlines in a file of their own, fetched once.
 *
 * @typedef {object} Outlines
 * @property {string} url
 * @property {string} key Another one for other outlines.
 */

/**
 * The proposals of the view, one of which is shown under the pointer.
 *
 * @typedef {object} Proposed
 * @property {string} url
 * @property {string} key
 * @property {number[]} taken Numbers of those that are objects already.
 * @property {number | null} current The one that the current object is.
 */

/**
 * A click or a box that is drawn.
 *
 * @typedef {object} Mark
 * @property {string} kind "point" or "box".
 * @property {number} x
 * @property {number} y
 * @property {number} [x1]
 * @property {number} [y1]
 * @property {number} [label] 1 include, 0 exclude.
 */

/**
 * Where the scene lies on Earth.
 *
 * @typedef {object} Place
 * @property {Pair[]} grid Longitude and latitude of places spread evenly, row by row.
 * @property {number} north Degrees clockwise from the top.
 */

/**
 * What the program sends.
 *
 * @typedef {object} Data
 * @property {string} token Another one means another scene.
 * @property {Pair} scene Its width and height.
 * @property {number | null} gsd Metres a scene pixel.
 * @property {number} height Of the canvas in CSS pixels.
 * @property {string} mode "points", "boxes", "select" or "look".
 * @property {number} label 1 for include, 0 for exclude points.
 * @property {Layer[]} pictures From below.
 * @property {Layer | null} overlay The objects.
 * @property {Layer | null} extra A further layer, above the objects.
 * @property {Box | null} drawn Where the objects were drawn.
 * @property {Box} view The window that the model looks at.
 * @property {Mark[]} marks Of the current object.
 * @property {string} canvas The canvas heard of last.
 * @property {number} ack Its last event that was taken.
 * @property {[number, number, number, number, number] | null} look Where to look next: a running
 *   number and a box.
 * @property {string} badge A line on the canvas.
 * @property {[number, number, number, number, number] | null} camera Where the last canvas looked:
 *   x, y, scale, columns, rows.
 * @property {Proposed | null} proposals
 * @property {boolean} rests Whether to tell where the pointer rests, if there is no proposal.
 * @property {Outlines | null} answer What was found where the pointer rested.
 * @property {Place | null} place
 */

/**
 * Something a person did, in scene pixels.
 *
 * @typedef {object} CanvasEvent
 * @property {number} n Position in the canvas's own count, from 1.
 * @property {string} kind "point", "box", "pick", "take" (a proposal) or "hover" (the pointer rests).
 * @property {number} x
 * @property {number} y
 * @property {number} [x1] Of a box: the opposite corner, on whichever side.
 * @property {number} [y1]
 * @property {number} [label] Of a point and a pick.
 * @property {string} [of] Of a taken proposal: the name of its list.
 * @property {number} [proposal] Its number.
 */

/**
 * What the canvas shows: its top-left corner in the scene, and its size.
 *
 * @typedef {object} Viewport
 * @property {number} x
 * @property {number} y
 * @property {number} scale CSS pixels a scene pixel.
 * @property {number} columns
 * @property {number} rows
 */

/**
 * What the program is told.
 *
 * @typedef {object} Report
 * @property {string} canvas Name of this canvas.
 * @property {CanvasEvent[]} events All that were not acknowledged yet.
 * @property {Viewport} viewport
 * @property {number} stamp Makes each report another one.
 */

export {};
