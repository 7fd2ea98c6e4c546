/** Typed text on its way to the engine. */

/** The longest that typed text stays unsaved, in milliseconds, also while typing goes on without a pause. */
export const PATIENCE = 500;

/** How long until text that could not be saved is offered again. */
export const RETRY = 3_000;

export type DraftState = 'idle' | 'typing' | 'saving' | 'saved' | 'failed';

export type Save = (text: string) => Promise<void>;

/** Texts that are not saved yet, by name: leaving a screen does not drop them. */
const unsaved = new Map<string, Draft>();

export class Draft {
  text = $state('');
  state = $state<DraftState>('idle');
  problem = $state.raw<unknown>(null);
  /** While somebody is writing in the field, nothing but their own typing changes it. */
  held = false;
  #name: string;
  #kept: string;
  #save: Save;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;

  constructor(name: string, kept: string, save: Save) {
    this.#name = name;
    this.#kept = kept;
    this.#save = save;
    this.text = kept;
  }

  type(text: string): void {
    if (this.state === 'failed') this.#stopWaiting();
    this.text = text;
    this.state = 'typing';
    unsaved.set(this.#name, this);
    this.#timer ??= setTimeout(() => void this.flush(), PATIENCE);
  }

  /** What the engine holds; it is shown unless something newer is being typed. */
  adopt(kept: string): void {
    if (this.held || unsaved.has(this.#name) || kept === this.#kept) return;
    this.#kept = kept;
    this.text = kept;
  }

  /** Saves now what is not saved; resolves when it is, or when that failed. */
  flush(): Promise<void> {
    this.#stopWaiting();
    this.#running ??= this.#run().finally(() => (this.#running = undefined));
    return this.#running;
  }

  #stopWaiting(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  async #run(): Promise<void> {
    // What is typed while a save is under way is saved in the next turn.
    while (unsaved.has(this.#name)) {
      const text = this.text;
      this.state = 'saving';
      try {
        await this.#save(text);
      } catch (error) {
        this.problem = error;
        this.state = 'failed';
        this.#timer ??= setTimeout(() => void this.flush(), RETRY);
        return;
      }
      this.problem = null;
      this.#kept = text;
      if (text === this.text) {
        unsaved.delete(this.#name);
        this.state = 'saved';
      }
    }
  }
}

/** The draft of that name if it still waits to be saved, or a new one. */
export function draft(name: string, kept: string, save: Save): Draft {
  return unsaved.get(name) ?? new Draft(name, kept, save);
}

export function saveEverything(): void {
  for (const waiting of unsaved.values()) void waiting.flush();
}

/** Saves what waits, and says whether nothing waits any more. */
export async function everythingSaved(): Promise<boolean> {
  await Promise.all([...unsaved.values()].map((waiting) => waiting.flush()));
  return unsaved.size === 0;
}
