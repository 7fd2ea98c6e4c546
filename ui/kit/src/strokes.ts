import type { Point } from './generated/domain';

/** A stroke as an SVG path; a dot for a single point. */
export function stroke(points: Point[]): string {
  const [first, ...rest] = points;
  if (!first) return '';
  if (rest.length === 0) return `M${first[0]} ${first[1]}h0`;
  return `M${first[0]} ${first[1]}` + rest.map(([x, y]) => `L${x} ${y}`).join('');
}

/** The box that holds every stroke, with a little air, so that no signature is cut off whatever the pad's shape was. */
export function outline(strokes: Point[][]): { x: number; y: number; width: number; height: number } {
  const points = strokes.flat();
  if (points.length === 0) return { x: 0, y: 0, width: 1000, height: 400 };
  const air = 20;
  const across = points.map(([x]) => x);
  const down = points.map(([, y]) => y);
  const [left, right] = [Math.min(...across), Math.max(...across)];
  const [top, bottom] = [Math.min(...down), Math.max(...down)];
  return { x: left - air, y: top - air, width: right - left + 2 * air, height: bottom - top + 2 * air };
}
