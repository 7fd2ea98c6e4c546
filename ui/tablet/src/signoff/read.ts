import { asProblem } from '@standpipe/kit';

/**
 * What counts as read after a signature was refused. Only who was told that something was recorded meanwhile reads the
 * summary again; after any other refusal it is what it was, so that nobody signs what came unseen.
 */
export const readAfter = (refusal: unknown, read: string, shown: string): string =>
  asProblem(refusal).code === 'changed-meanwhile' ? shown : read;
