import {
  reading,
  type Answer,
  type CheckView,
  type FieldConflict,
  type Outcome,
  type Severity,
  type Stop,
} from '@standpipe/kit';
import * as engine from '../engine';
import { kept, keptUnder, letGo } from '../kept';
import { Live } from '../live.svelte';

type Change = Partial<Omit<Answer, 'at'>>;

/** The note of an item that has no answer yet. */
export const noteName = (check: string, item: string) => `note.${check}.${item}`;

/** The number that was typed to an item and not recorded yet. */
export const readingName = (check: string, item: string) => `reading.${check}.${item}`;

/** The items to which a number was typed that is in no record. After the seal there is no record to come. */
export const typedIn = (stops: Pick<Stop, 'check' | 'sealed'>[]): { check: string; item: string }[] =>
  stops
    .filter((stop) => !stop.sealed)
    .flatMap(({ check }) => keptUnder(readingName(check, '')).map((item) => ({ check, item })));

/**
 * The work on one check. What is recorded goes to the engine one after the other, each built on what the one before left:
 * a note that is saved while an outcome is tapped keeps both.
 */
export class CheckWork {
  readonly id: string;
  readonly live: Live<CheckView>;
  #queue: Promise<unknown> = Promise.resolve();

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

  /** Changes an item's answer, or gives it its first one. `seen` is what was shown when that was said, not what is by now. */
  record(
    item: string,
    outcome: Outcome | null,
    change: Change = {},
    seen = this.seen(`answer:${item}`),
  ): Promise<void> {
    return this.#next(async () => {
      const before = this.view?.answers[item];
      const [note, typed] = [noteName(this.id, item), readingName(this.id, item)];
      const [words, number] = [kept(note), kept(typed)];
      const given: Answer = {
        reading: before?.reading,
        choice: before?.choice,
        note: words || before?.note,
        ...change,
        outcome: outcome ?? before?.outcome ?? 'pass',
        at: Date.now(),
      };
      if (given.outcome === 'not-applicable') {
        delete given.reading;
        delete given.choice;
      }
      // Words that waited for an answer were written where there was none.
      const unanswered = words !== '' && change.note === undefined;
      const view = await engine.answer({ check: this.id, item, answer: given, seen: unanswered ? [] : seen });
      void letGo(note, words);
      // Words that were kept while this was being recorded follow it into the record; if that fails, they stay kept.
      const newer = kept(note);
      if (newer) void this.record(item, null, { note: newer }, []).catch(() => undefined);
      // A number that is not the one that was recorded is still being typed.
      const settled = given.outcome === 'not-applicable' || reading(number) === given.reading?.value;
      if (settled) void letGo(typed, number);
      return view;
    });
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
  async fail(item: string, change: Change = {}, seen = this.seen(`answer:${item}`)): Promise<void> {
    await this.record(item, 'fail', change, seen);
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
    const turn = this.#queue.then(async () => this.live.take(await command()));
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
