import { reading, type Answer, type Item, type Outcome } from '@standpipe/kit';
import { draft, type Draft } from '../draft.svelte';
import { keep, kept, letGo } from '../kept';
import { locked, outcomeOf } from './items';
import { readingName, type CheckWork } from './work.svelte';

/** The work on the one item that is asked now. */
export class ItemWork {
  readonly check: CheckWork;
  readonly item: Item;
  /** The number that is being typed, where the item asks for one. It is no answer before somebody says so. */
  readonly typed: Draft | null;
  refusal = $state.raw<unknown>(null);
  #name: string;

  constructor(check: CheckWork, item: Item) {
    this.check = check;
    this.item = item;
    this.#name = readingName(check.id, item.id);
    this.typed =
      item.answer.type === 'reading'
        ? draft(this.#name, this.#shown(), (text) => this.#keepNumber(text), kept(this.#name) ? [] : this.#seen())
        : null;
    // What was typed on an earlier visit says that it waits.
    if (this.typed && kept(this.#name) && this.typed.state === 'idle') this.typed.state = 'saved';
  }

  get answer(): Answer | undefined {
    return this.check.view?.answers[this.item.id];
  }

  get value(): number | null {
    return this.typed ? reading(this.typed.text) : null;
  }

  /** Whether the number in the field is the one that is recorded. */
  get recorded(): boolean {
    return this.value !== null && this.value === this.answer?.reading?.value;
  }

  /** What the engine holds, unless something newer is being typed. */
  follow(): void {
    // What was typed as 0.50 is not set right to 0.5.
    if (this.recorded) this.typed?.adopt(this.typed.text, this.#seen());
    else if (!kept(this.#name)) this.typed?.adopt(this.#shown(), this.#seen());
  }

  /** Records the outcome, and the number that it was given to. `true` when it stands; otherwise `refusal` says why not. */
  async give(outcome: Outcome, change: Partial<Answer> = {}): Promise<boolean> {
    this.refusal = null;
    const shown = this.#seen();
    try {
      await this.typed?.flush();
      const number = this.#number();
      // A number that was typed hides the one that is recorded.
      const seen = (number.reading && this.typed?.seen) ?? shown;
      const whole = { ...number, ...change };
      const stands = this.answer?.outcome === outcome && Object.keys(whole).length === 0;
      if (outcome === 'fail')
        await (stands ? this.check.ensureFinding(this.item.id) : this.check.fail(this.item.id, whole, seen));
      else if (!stands) await this.check.record(this.item.id, outcome, whole, seen);
      // Also where the app ended between the record and this.
      if (this.recorded || outcome === 'not-applicable') void letGo(this.#name);
      return true;
    } catch (error) {
      this.refusal = error;
      return false;
    }
  }

  /** Records a number that was typed, by what it amounts to. `true` unless it was refused. */
  async settle(read = reading): Promise<boolean> {
    await this.typed?.flush();
    const { view } = this.check;
    const value = read(kept(this.#name));
    if (value === null || !view || view.sealed || (locked(view, this.item) && !this.answer)) return true;
    return this.give(outcomeOf(this.item, value, this.answer));
  }

  /** Whatever is half done is brought to an end before something else is asked; half a number stays a draft. */
  leave(): void {
    void this.settle(finished).then(() => this.#ensureFinding());
  }

  async #ensureFinding(): Promise<void> {
    if (this.answer?.outcome !== 'fail' || this.check.view?.sealed) return;
    await this.check.ensureFinding(this.item.id).catch((error: unknown) => (this.refusal = error));
  }

  /** The number in the field, where it is not recorded yet. */
  #number(): Partial<Answer> {
    const { value } = this;
    if (value === null || this.recorded || this.item.answer.type !== 'reading') return {};
    return { reading: { value, unit: this.item.answer.unit } };
  }

  #keepNumber(text: string): Promise<void> {
    // What is recorded as it stands needs not be kept beside the record.
    const told = reading(text) === this.answer?.reading?.value;
    return keep(this.#name, told ? '' : text);
  }

  /** Who wrote the answer that is shown. */
  #seen(): string[] {
    return this.check.seen(`answer:${this.item.id}`);
  }

  #shown(): string {
    return kept(this.#name) || (this.answer?.reading?.value.toString() ?? '');
  }
}

/** The number that a text is, unless it ends at its point: there is more to come. */
const finished = (text: string): number | null => (/[.,．，。]\s*$/u.test(text) ? null : reading(text));
