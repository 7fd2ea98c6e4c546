/** Typed text on its way to the engine. */
import type { Answer, Problem } from '@standpipe/kit';

/** The longest that typed text stays unsaved, in milliseconds, also while typing goes on without a pause. */
export const PATIENCE = 500;

/** How long until text that could not be saved is offered again. */
export const RETRY = 3_000;

/** Refusals that no waiting cures. */
const FOR_GOOD = ['sealed', 'not-failed', 'unknown', 'not-allowed', 'unknown-checklist', 'unknown-item'];

/** `refused` is kept elsewhere, and waits no longer. */
export type DraftState = 'idle' | 'typing' | 'saving' | 'saved' | 'failed' | 'refused';

/** What a field said when its text was begun. The text is saved over that, and what came since is not replaced. */
export interface Shown {
  /** The operations that wrote it, as the engine names them. */
  seen: string[];
  /** The answer that the text is a part of. */
  answer?: Answer | undefined;
  /** How many answers this tablet had given at the check by then: whoever gave one since knows it, shown or not. */
  given?: number;
}

export type Save = (text: string, shown: Shown) => Promise<void>;

/** Keeps a text that was refused for good, in place of what it kept before; none once what was typed since is saved. */
export type Aside = (text: string, why: unknown) => Promise<void>;

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
  #shown: Shown;
  #save: Save;
  #aside: Aside | undefined;
  #isAside = false;
  /** What the engine holds, as far as the field does not show it. */
  #news: { kept: string; shown: Shown } | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> | undefined;

  constructor(name: string, kept: string, save: Save, shown: Shown = { seen: [] }, aside?: Aside) {
    this.#name = name;
    this.#kept = kept;
    this.#shown = shown;
    this.#save = save;
    this.#aside = aside;
    this.text = kept;
  }

  get seen(): string[] {
    return this.#shown.seen;
  }

  type(text: string): void {
    if (this.state === 'failed') this.#stopWaiting();
    this.text = text;
    this.state = 'typing';
    unsaved.set(this.#name, this);
    this.#timer ??= setTimeout(() => void this.flush(), PATIENCE);
  }

  /** What the engine holds, and who wrote it; it is shown unless something newer is being typed. */
  adopt(kept: string, shown: Shown = { seen: [] }): void {
    this.#news = { kept, shown };
    // What is being typed is about what stood there, also where a colleague's answer has the same text.
    if (!unsaved.has(this.#name)) this.#takeNews();
  }

  /** Nobody is writing in the field any more: it is saved, and then shows what has come meanwhile. */
  async release(): Promise<void> {
    this.held = false;
    await this.flush();
    this.#takeNews();
  }

  #takeNews(): void {
    const news = this.#news;
    if (!news) return;
    const isShown = news.kept === this.#kept;
    if (!isShown && (this.held || unsaved.has(this.#name))) return;
    this.#news = undefined;
    this.#shown = news.shown;
    if (isShown) return;
    this.#kept = news.kept;
    this.text = news.kept;
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
        await this.#save(text, this.#shown);
      } catch (error) {
        this.problem = error;
        if (await this.#setAside(text, error)) {
          if (text === this.text) this.#end('refused');
          continue;
        }
        this.state = 'failed';
        this.#timer ??= setTimeout(() => void this.flush(), RETRY);
        return;
      }
      this.problem = null;
      this.#kept = text;
      if (this.#news?.kept === text) this.#takeNews();
      if (this.#isAside) void this.#setAside('', null);
      if (text === this.text) this.#end('saved');
    }
  }

  #end(state: DraftState): void {
    unsaved.delete(this.#name);
    this.state = state;
  }

  /** What is refused for good stands in nobody's way, once it is kept. `true` when it is. */
  async #setAside(text: string, why: unknown): Promise<boolean> {
    if (!this.#aside || (text && !FOR_GOOD.includes(codeOf(why)))) return false;
    try {
      await this.#aside(text, why);
      this.#isAside = text !== '';
      return true;
    } catch {
      return false;
    }
  }
}

/** The draft of that name if it still waits to be saved, or a new one. */
export function draft(name: string, kept: string, save: Save, shown?: Shown, aside?: Aside): Draft {
  return unsaved.get(name) ?? new Draft(name, kept, save, shown, aside);
}

const codeOf = (why: unknown): string => (why as Partial<Problem> | null)?.code ?? '';

export function saveEverything(): void {
  for (const waiting of unsaved.values()) void waiting.flush();
}

/** Saves what waits, and says whether nothing waits any more. */
export async function everythingSaved(): Promise<boolean> {
  await Promise.all([...unsaved.values()].map((waiting) => waiting.flush()));
  return unsaved.size === 0;
}
