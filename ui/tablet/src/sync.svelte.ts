import type { SyncLine } from '@standpipe/kit';
import { onSync, today } from './engine';

let line = $state.raw<SyncLine>();

export const syncLine = () => line;

/** Follows the engine's line; until the first event it is what the engine said when asked. */
export function followSync(): () => void {
  const off = onSync((said) => (line = said));
  today().then(
    ({ sync }) => (line ??= sync),
    // The screen that is shown says what is wrong; the line has nothing to add.
    () => undefined,
  );
  return () => void off.then((stop) => stop());
}
