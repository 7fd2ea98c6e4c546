/**
 * Scrolls the list that holds `node` until it is seen, and nothing else: the screen around it must stay where it is.
 * `top` brings it to the top of the list; otherwise the list moves as little as is needed.
 */
export function bringIntoSight(node: HTMLElement, top = false): void {
  const list = node.closest('.scroll');
  if (!list) return;
  const air = parseFloat(getComputedStyle(node).scrollMarginTop) || 0;
  const [own, seen] = [node.getBoundingClientRect(), list.getBoundingClientRect()];
  const above = own.top - air - seen.top;
  const below = own.bottom + air - seen.bottom;
  if (top || above < 0) list.scrollTop += above;
  else if (below > 0) list.scrollTop += Math.min(below, above);
}

/** The same once the node has been laid out, for `{@attach}`. */
export const intoSight =
  (top = false) =>
  (node: HTMLElement): void =>
    void requestAnimationFrame(() => bringIntoSight(node, top));
