import type { Point } from '@standpipe/kit';
import type { PointGroup } from 'signature_pad';

/** What was drawn, in thousandths of the pad's width and milliseconds since the pen first touched the glass. */
export function strokesOf(groups: Pick<PointGroup, 'points'>[], width: number): Point[][] {
  const start = groups[0]?.points[0]?.time ?? 0;
  const scale = 1000 / width;
  return groups.map(({ points }) =>
    points.map(({ x, y, time }): Point => [
      Math.round(x * scale),
      Math.round(y * scale),
      Math.max(0, Math.round(time - start)),
    ]),
  );
}
