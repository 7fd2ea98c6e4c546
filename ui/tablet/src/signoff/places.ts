import type { Signature, SignOffView } from '@standpipe/kit';

/** A place whose signature stands for everything, what was amended after it too. */
export const isSettled = (place: SignOffView): place is SignOffView & { signed: Signature } =>
  place.signed !== null && place.unsigned_amendments === 0;
