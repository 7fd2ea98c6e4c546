import { reading, type Answer, type Item, type Outcome } from '@standpipe/kit';
import { draft, type Draft } from '../draft.svelte';
import { outcomeOf } from './items';
import type { CheckWork } from './work.svelte';

/** The work on the one item that is asked now. */
export class ItemWork {
  readonly check: CheckWork;
  readonly item: Item;
  /** The number that is being typed, where the item asks for one. */
  readonly typed: Draft | null;
  refusal = $state.raw<unknown>(null);

  constructor(check: CheckWork, item: Item) {
    this.check = check;
    this.item = item;
    this.typed =
      item.answer.type === 'reading'
        ? draft(`reading ${check.id} ${item.id}`, this.#shown(), (text) => this.#saveReading(text), true)
        : null;
  }

  get answer(): Answer | undefined {
    return this.check.view?.answers[this.item.id];
  }

  get value(): number | null {
    return this.typed ? reading(this.typed.text) : null;
  }

  /** What the engine holds, unless something newer is being typed. */
  follow(): void {
    // What was typed as 0.50 is not set right to 0.5.
    if (this.value !== null && this.value === this.answer?.reading?.value) return;
    this.typed?.adopt(this.#shown());
  }

  /** Records the outcome. `true` when it stands; otherwise `refusal` says why not. */
  async give(outcome: Outcome, change: Partial<Answer> = {}): Promise<boolean> {
    this.refusal = null;
    try {
      if (outcome !== 'not-applicable') await this.typed?.flush();
      const stands = this.answer?.outcome === outcome && Object.keys(change).length === 0;
      if (outcome === 'fail') await (stands ? this.ensureFinding() : this.check.fail(this.item.id, change));
      else if (!stands) await this.check.record(this.item.id, outcome, change);
      return true;
    } catch (error) {
      this.refusal = error;
      return false;
    }
  }

  /** A reading outside its limit is saved while it is typed; its finding is made once it is meant. */
  async ensureFinding(): Promise<void> {
    await this.typed?.flush();
    if (this.answer?.outcome === 'fail') await this.check.ensureFinding(this.item.id);
  }

  /** Whatever is half done is brought to an end before something else is asked. */
  leave(): void {
    void this.ensureFinding().catch((error: unknown) => (this.refusal = error));
  }

  async #saveReading(text: string): Promise<void | false> {
    const value = reading(text);
    if (value === null || this.item.answer.type !== 'reading') return false;
    const outcome = outcomeOf(this.item, value, this.answer);
    await this.check.record(this.item.id, outcome, { reading: { value, unit: this.item.answer.unit } });
  }

  #shown(): string {
    return this.answer?.reading?.value.toString() ?? '';
  }
}
