import type { Act, SignIn, Who } from '@standpipe/kit';
import { connect, Refused } from './api';

/** Who is signed in: not known yet, nobody, or somebody. */
let who = $state.raw<Who | null>();

export const session = {
  get who() {
    return who;
  },
  may: (act: Act) => who?.acts.includes(act) ?? false,
};

export const api = connect(
  (input, init) => fetch(input, init),
  () => (who = null),
);

/** Finds out who is signed in. Rejects when the hub cannot be asked, which is not the same as nobody. */
export async function recognise(): Promise<void> {
  try {
    who = await api.session();
  } catch (error) {
    if (!(error instanceof Refused && error.status === 401)) throw error;
    who = null;
  }
}

export async function signIn(form: SignIn): Promise<void> {
  who = await api.signIn(form);
}

export async function signOut(): Promise<void> {
  await api.signOut();
  who = null;
}
