const places = new Map<string, number>();

/** Keeps how far a list was scrolled, for when one comes back to it. */
export function keepScroll(name: string): (node: HTMLElement) => () => void {
  return (node) => {
    requestAnimationFrame(() => (node.scrollTop = places.get(name) ?? 0));
    const note = () => places.set(name, node.scrollTop);
    node.addEventListener('scroll', note, { passive: true });
    return () => node.removeEventListener('scroll', note);
  };
}
