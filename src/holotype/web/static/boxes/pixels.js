// Boxes in pixels of the upright picture: the first and the last column and row, from 0, both of them inside.

export const EDGES = ["left", "top", "right", "bottom"];

// The pixel that a place is in, which is continuous from 0 to the size.
export function pixel(place, size) {
  return Math.min(Math.max(Math.floor(place), 0), size - 1);
}

// The smallest box that all points are in, as its edges in the order of EDGES.
export function around(points, { width, height }) {
  const across = points.map(([x]) => pixel(x, width)), down = points.map(([, y]) => pixel(y, height));
  return [Math.min(...across), Math.min(...down), Math.max(...across), Math.max(...down)];
}

// What a box covers of the picture, for a rectangle: its last column and row are wholly inside.
export function covered([left, top, right, bottom]) {
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1 };
}

// An edge as far as it may go: inside the picture and not beyond the edge across, where there is one.
export function within(edges, which, value, { width, height }) {
  const isFirst = which < 2, size = which % 2 ? height : width;
  const across = edges[(which + 2) % 4] ?? (isFirst ? size - 1 : 0);
  return isFirst ? Math.min(Math.max(value, 0), across) : Math.max(Math.min(value, size - 1), across);
}

// What is wrong with edges, in words; "" for a box.
export function fault(edges, { width, height }) {
  const missing = EDGES.filter((_, at) => edges[at] === null);
  if (missing.length === 4) return "no box yet";
  if (missing.length) return `still to say: ${missing.join(", ")}`;
  const outside = edges.some((edge, at) => edge < 0 || edge >= (at % 2 ? height : width));
  if (outside) return `the picture has columns 0 to ${width - 1} and rows 0 to ${height - 1}`;
  const [left, top, right, bottom] = edges;
  return left > right ? "left is beyond right" : top > bottom ? "top is below bottom" : "";
}
