import { asProblem, seenOf, type IssueView, type Step } from '@standpipe/kit';
import * as engine from '../engine';
import { keep, kept, letGo } from '../kept';
import type { Live } from '../live.svelte';

/** The next step of an issue, while somebody is at it. */
export class StepWork {
  /** The step whose form is open. */
  chosen = $state<Step | null>(null);
  words = $state('');
  asking = $state(false);
  refusal = $state.raw<unknown>(null);
  // What was seen of the status when the form was opened: the screen goes on under it to what a pull brings.
  #seen: string[] = [];
  readonly #live: Live<IssueView>;
  readonly #id: string;
  readonly #name: string;

  constructor(id: string, live: Live<IssueView>) {
    this.#live = live;
    this.#id = id;
    this.#name = `issue.${id}`;
    this.words = kept(this.#name);
  }

  open(step: Step, view: IssueView): void {
    this.chosen = step;
    this.#seen = seenOf(view);
  }

  close(): void {
    this.chosen = null;
  }

  /** Keeps what is typed; what could not be kept says so. */
  async hold(): Promise<void> {
    this.refusal = null;
    await keep(this.#name, this.words).catch((error: unknown) => (this.refusal = error));
  }

  /** Takes a step that has no form, over what is shown. */
  take = (step: Step, view: IssueView): Promise<void> => this.#send(step, seenOf(view));

  /** Takes the step whose form is open, over what was shown when it was opened. */
  async submit(): Promise<void> {
    if (this.chosen) await this.#send(this.chosen, this.#seen);
  }

  reload = (): Promise<void> => this.#live.reload();

  async #send(step: Step, seen: string[]): Promise<void> {
    this.asking = true;
    this.refusal = null;
    const nothing = { unit: null, person: null, date: null };
    try {
      this.#live.take(await engine.issueStep(this.#id, { step, ...nothing, words: this.words.trim(), seen }));
      void letGo(this.#name);
      this.words = '';
      this.chosen = null;
    } catch (error) {
      this.refusal = error;
      if (asProblem(error).code === 'moved-on') await this.#look();
    } finally {
      this.asking = false;
    }
  }

  /** Somebody else was first: what they did is shown beside the refusal, and counts as seen from then on. */
  async #look(): Promise<void> {
    await this.reload();
    if (this.#live.value) this.#seen = seenOf(this.#live.value);
  }
}
