import { untrack } from 'svelte';
import { live } from './live.svelte';

/** Something the hub knows, asked for again whenever it changed. The last answer stays until the next one is here. */
export class Shown<T> {
  value = $state.raw<T>();
  error = $state.raw<unknown>(null);
  #turn = 0;

  /** Takes what a change answered with; an older question still under way is then ignored. */
  take(value: T): void {
    this.#turn += 1;
    this.value = value;
    this.error = null;
  }

  async ask(load: () => Promise<T>): Promise<void> {
    const turn = (this.#turn += 1);
    try {
      const value = await load();
      if (turn === this.#turn) this.take(value);
    } catch (error) {
      if (turn === this.#turn) this.error = error;
    }
  }
}

/** A [`Shown`] for as long as the component that asks is shown. What `load` reads before it waits is followed. */
export function shown<T>(load: () => Promise<T>): Shown<T> {
  const it = new Shown<T>();
  $effect(() => {
    void live.version;
    const answer = load();
    untrack(() => void it.ask(() => answer));
  });
  return it;
}
