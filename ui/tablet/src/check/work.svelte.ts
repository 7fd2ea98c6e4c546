import {
  reading,
  type Answer,
  type CheckView,
  type FieldConflict,
  type Outcome,
  type Severity,
  type Stop,
  type Words,
} from '@standpipe/kit';
import type { Shown } from '../draft.svelte';
import * as engine from '../engine';
import { kept, letGo } from '../kept';
import { Live } from '../live.svelte';
import { itemsWaiting, keepWaiting, placeOf, questionOf, waiting, waitingName, type Kind } from './waiting';

type Change = Partial<Omit<Answer, 'at'>>;

export interface Typed {
  check: string;
  item: string;
  question: Words | undefined;
}

/** The items to which something was typed that is in no record. After the seal there is no record to come. */
export const typedIn = (stops: Pick<Stop, 'check' | 'sealed'>[]): Typed[] =>
  stops
    .filter((stop) => !stop.sealed)
    .flatMap(({ check }) => itemsWaiting(check).map((item) => ({ check, item, question: questionOf(check, item) })));

/**
 * The work on one check. What is recorded goes to the engine one after the other, each built on what the one before left:
 * a note that is saved while an outcome is tapped keeps both.
 */
export class CheckWork {
  readonly id: string;
  readonly live: Live<CheckView>;
  #queue: Promise<unknown> = Promise.resolve();
  /** How many answers were given here, and by item the last of them with what it was given over. */
  #given = 0;
  readonly #last = new Map<string, Shown>();

  constructor(id: string) {
    this.id = id;
    this.live = new Live(`check ${id}`, () => engine.check(id));
  }

  get view(): CheckView | undefined {
    return this.live.value;
  }

  /** Who wrote what a field shows: whoever changes it has seen that. */
  seen(field: string): string[] {
    return this.view?.revs[field] ?? [];
  }

  /** What an item's answer shows now. */
  shown(item: string): Shown {
    return { seen: this.seen(`answer:${item}`), answer: this.view?.answers[item], given: this.#given };
  }

  /**
   * Changes an item's answer, or gives it its first one. It is built on what was shown when that was said, not on what is
   * by now: nobody says in their own name what a colleague has recorded meanwhile. `seen` is less than was shown where
   * something that was typed hid a part of it.
   */
  record(
    item: string,
    outcome: Outcome | null,
    change: Change = {},
    shown = this.shown(item),
    seen = shown.seen,
  ): Promise<void> {
    return this.#inTurn(() => this.#answer(item, outcome, change, shown, seen));
  }

  /** Writes a note to the answer that was shown. Where there was none it waits for one: a note alone says no outcome. */
  note(item: string, note: string, shown = this.shown(item)): Promise<void> {
    return this.#inTurn(() =>
      (this.#later(item, shown) ?? shown).answer
        ? this.#answer(item, null, { note }, shown, shown.seen)
        : this.keep('note', item, note, shown.seen),
    );
  }

  /** Keeps what is in no record yet, with what it was written over. */
  keep(kind: Kind, item: string, text: string, seen: string[]): Promise<void> {
    return keepWaiting(kind, this.id, item, { text, seen, place: placeOf(this.view, item) });
  }

  /** What was answered here since that was shown: whoever writes goes on from it. */
  #later(item: string, { given = 0 }: Shown): Shown | undefined {
    const last = this.#last.get(item);
    return last && last.given! > given ? last : undefined;
  }

  async #answer(item: string, outcome: Outcome | null, change: Change, shown: Shown, seen: string[]): Promise<void> {
    const later = this.#later(item, shown);
    const before = (later ?? shown).answer;
    const [note, number] = [waiting('note', this.id, item), waiting('reading', this.id, item)];
    const names = [waitingName('note', this.id, item), waitingName('reading', this.id, item)] as const;
    const [keptNote, keptNumber] = [kept(names[0]), kept(names[1])];
    const answer: Answer = {
      reading: before?.reading,
      choice: before?.choice,
      note: note?.text ?? before?.note,
      ...change,
      outcome: outcome ?? before?.outcome ?? 'pass',
      at: Date.now(),
    };
    if (answer.outcome === 'not-applicable') {
      delete answer.reading;
      delete answer.choice;
    }
    // A note that waits hides the one that a colleague's answer has.
    const hid = note && change.note === undefined && before?.note && before.note !== note.text;
    const over = later?.seen ?? (hid ? (note.seen ?? []) : seen);
    this.live.take(await engine.answer({ check: this.id, item, answer, seen: over }));
    this.#given += 1;
    this.#last.set(item, { answer, seen: over, given: this.#given });
    void letGo(names[0], keptNote);
    // A number that is not the one that was recorded is still being typed.
    const settled = answer.outcome === 'not-applicable' || reading(number?.text ?? '') === answer.reading?.value;
    if (settled) void letGo(names[1], keptNumber);
  }

  /** Says how bad a failed item is. */
  weigh(item: string, severity: Severity, seen = this.seen(`severity:${item}`)): Promise<void> {
    return this.#next(() => engine.finding({ check: this.id, item, severity, words: null, seen }));
  }

  /** Says in words what is wrong with a failed item. */
  describe(item: string, words: string, seen = this.seen(`words:${item}`)): Promise<void> {
    return this.#next(() => engine.finding({ check: this.id, item, severity: null, words, seen }));
  }

  /** Makes sure that a failed item has its finding, so that it is acted on. */
  async fail(item: string, change: Change = {}, shown = this.shown(item), seen = shown.seen): Promise<void> {
    await this.record(item, 'fail', change, shown, seen);
    await this.ensureFinding(item);
  }

  /** Makes the finding of a failed item unless it has one; two who ask at once make one. */
  ensureFinding(item: string): Promise<void> {
    return this.#next(async () => {
      const view = this.view;
      const wanting = view?.answers[item]?.outcome === 'fail' && !view.findings.some((found) => found.item === item);
      if (view && !wanting) return view;
      return engine.finding({ check: this.id, item, severity: null, words: null, seen: [] });
    });
  }

  resolve({ field, sides }: FieldConflict, keepRev: string): Promise<void> {
    const seen = sides.map(({ rev }) => rev);
    return this.#next(() => engine.resolve(this.id, field, keepRev, seen));
  }

  detach(item: string, sha256: string): Promise<void> {
    return this.#next(() => engine.detach(this.id, item, sha256));
  }

  amend(item: string, answer: Answer, reason: string, severity: Severity | null): Promise<void> {
    return this.#next(() => engine.amend({ check: this.id, item, answer, reason, severity }));
  }

  #next(command: () => Promise<CheckView>): Promise<void> {
    return this.#inTurn(async () => this.live.take(await command()));
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#queue.then(work);
    // One refusal does not hold up what comes after it; whoever asked hears of it.
    this.#queue = turn.catch(() => undefined);
    return turn;
  }
}

const works = new Map<string, CheckWork>();

/** The work on a check: one for each, so that a text saved late is built on what was recorded since. */
export function workOn(id: string): CheckWork {
  const known = works.get(id) ?? new CheckWork(id);
  works.set(id, known);
  return known;
}
