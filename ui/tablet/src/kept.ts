/**
 * Words that belong to no record yet: a note before its answer, the reason of an amendment that was not made. They stand
 * in the app's own storage until the record takes them over.
 */
const key = (name: string) => `standpipe.kept.${name}`;

export const kept = (name: string): string => localStorage.getItem(key(name)) ?? '';

export function keep(name: string, text: string): void {
  if (text) localStorage.setItem(key(name), text);
  else localStorage.removeItem(key(name));
}
