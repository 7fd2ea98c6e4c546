import type { Tablet } from '@standpipe/kit';

/** Those in use first, each group as it came: a tablet that joined again stands above what it was before. */
export const inUseFirst = (tablets: Tablet[]): Tablet[] => [
  ...tablets.filter(({ revoked }) => !revoked),
  ...tablets.filter(({ revoked }) => revoked),
];
