import { reading, type Answer, type Item, type Outcome } from '@standpipe/kit';
import { draft, type Draft, type Shown } from '../draft.svelte';
import { letGo } from '../kept';
import { locked, outcomeOf } from './items';
import { waiting, waitingName, type Kind, type Waiting } from './waiting';
import type { CheckWork } from './work.svelte';

/** The work on the one item that is asked now. */
export class ItemWork {
  readonly check: CheckWork;
  readonly item: Item;
  /** The number that is being typed, where the item asks for one. It is no answer before somebody says so. */
  readonly typed: Draft | null;
  refusal = $state.raw<unknown>(null);

  constructor(check: CheckWork, item: Item) {
    this.check = check;
    this.item = item;
    this.typed = item.answer.type === 'reading' ? this.#numberDraft() : null;
    // What was typed on an earlier visit says that it waits.
    if (this.typed && this.#number && this.typed.state === 'idle') this.typed.state = 'saved';
  }

  get answer(): Answer | undefined {
    return this.check.view?.answers[this.item.id];
  }

  get value(): number | null {
    return this.typed ? reading(this.typed.text) : null;
  }

  /** The note that waits for an answer, unless the record has it: the app may have ended between the record and that. */
  get note(): string {
    const note = waiting('note', this.check.id, this.item.id)?.text ?? '';
    return note === this.answer?.note ? '' : note;
  }

  /** Whether the number in the field is the one that is recorded. */
  get recorded(): boolean {
    return this.value !== null && this.value === this.answer?.reading?.value;
  }

  /** What the engine holds, unless something newer is being typed. */
  follow(): void {
    // What was typed as 0.50 is not set right to 0.5.
    if (this.recorded) this.typed?.adopt(this.typed.text, this.#shown());
    else if (!this.#number) this.typed?.adopt(this.#recordedNumber(), this.#shown());
  }

  /** Records the outcome, and the number that it was given to. `true` when it stands; otherwise `refusal` says why not. */
  async give(outcome: Outcome, change: Partial<Answer> = {}): Promise<boolean> {
    this.refusal = null;
    const shown = this.#shown();
    try {
      await this.typed?.flush();
      const number = this.#newNumber();
      // A number that was typed hides the one that is recorded.
      const seen = (number.reading && this.typed?.seen) ?? shown.seen;
      const whole = { ...number, ...change };
      const stands = this.answer?.outcome === outcome && Object.keys(whole).length === 0 && !this.note;
      if (outcome === 'fail')
        await (stands ? this.check.ensureFinding(this.item.id) : this.check.fail(this.item.id, whole, shown, seen));
      else if (!stands) await this.check.record(this.item.id, outcome, whole, shown, seen);
      // Also where the app ended between the record and this.
      if (this.recorded || outcome === 'not-applicable') this.#letGo('reading');
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
    const value = read(this.#number?.text ?? '');
    if (value === null || !view || view.sealed || (locked(view, this.item) && !this.answer)) return true;
    return this.give(outcomeOf(this.item, value, this.answer));
  }

  /** Whatever is half done is brought to an end before something else is asked; half a number stays a draft. */
  leave(): void {
    if (!this.note) this.#letGo('note');
    void this.settle(finished).then(() => this.#ensureFinding());
  }

  async #ensureFinding(): Promise<void> {
    if (this.answer?.outcome !== 'fail' || this.check.view?.sealed) return;
    await this.check.ensureFinding(this.item.id).catch((error: unknown) => (this.refusal = error));
  }

  /** The number in the field, where it is not recorded yet. */
  #newNumber(): Partial<Answer> {
    const { value } = this;
    if (value === null || this.recorded || this.item.answer.type !== 'reading') return {};
    return { reading: { value, unit: this.item.answer.unit } };
  }

  #numberDraft(): Draft {
    const [shown, waits] = [this.#shown(), this.#number];
    const begun = { ...shown, seen: waits?.seen ?? shown.seen };
    const save = (text: string, { seen }: Shown) => this.#keepNumber(text, seen);
    return draft(
      waitingName('reading', this.check.id, this.item.id),
      waits?.text ?? this.#recordedNumber(),
      save,
      begun,
    );
  }

  #keepNumber(text: string, seen: string[]): Promise<void> {
    // What is recorded as it stands needs not be kept beside the record.
    const told = reading(text) === this.answer?.reading?.value;
    return this.check.keep('reading', this.item.id, told ? '' : text, seen);
  }

  #letGo(kind: Kind): void {
    void letGo(waitingName(kind, this.check.id, this.item.id));
  }

  /** The number that waits. */
  get #number(): Waiting | undefined {
    return waiting('reading', this.check.id, this.item.id);
  }

  #recordedNumber(): string {
    return this.answer?.reading?.value.toString() ?? '';
  }

  #shown(): Shown {
    return this.check.shown(this.item.id);
  }
}

/** The number that a text is, unless it ends at its point: there is more to come. */
const finished = (text: string): number | null => (/[.,．，。]\s*$/u.test(text) ? null : reading(text));
