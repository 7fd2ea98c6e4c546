import { onChanged } from './engine';

// What was shown last, by name: a screen that one returns to is there at once and then brought up to date.
const shown = new Map<string, unknown>();

/** Something the engine knows, asked for again whenever it says that something changed. */
export class Live<T> {
  value = $state.raw<T>();
  problem = $state.raw<unknown>(null);
  #name: string;
  #load: () => Promise<T>;
  #turn = 0;
  #loading = false;
  #again = false;

  constructor(name: string, load: () => Promise<T>) {
    this.#name = name;
    this.#load = load;
    this.value = shown.get(name) as T | undefined;
  }

  /** Takes what a command answered with; an older question still under way is then ignored. */
  take(value: T): void {
    this.#turn += 1;
    this.problem = null;
    this.value = value;
    shown.set(this.#name, value);
  }

  async reload(): Promise<void> {
    this.#again = true;
    if (this.#loading) return;
    this.#loading = true;
    while (this.#again) {
      this.#again = false;
      const turn = this.#turn;
      try {
        const value = await this.#load();
        if (turn === this.#turn) this.take(value);
        else this.#again = true;
      } catch (error) {
        this.problem = error;
      }
    }
    this.#loading = false;
  }
}

/** Keeps it up to date for as long as the component that asks is shown. */
export function follow<T>(known: Live<T>): Live<T> {
  $effect(() => {
    void known.reload();
    const off = onChanged(() => void known.reload());
    return () => void off.then((stop) => stop());
  });
  return known;
}

export const live = <T>(name: string, load: () => Promise<T>): Live<T> => follow(new Live(name, load));
