import type { CheckView, FindingView, Item, NewAnswer, NewFinding, Stop } from '@standpipe/kit';

const same = (text: string) => ({ 'zh-CN': text, en: text });

export function item(id: string, more: Partial<Item> = {}): Item {
  return {
    id,
    question: same(id),
    help: null,
    answer: { type: 'pass-fail' },
    draws_water: false,
    interlock: false,
    source: { code: 'GB 50974-2014', clause: null, standing: 'secondary', from: null, until: null },
    ...more,
  };
}

export function stop(check: string, more: Partial<Stop> = {}, path: string[] = ['一期']): Stop {
  return {
    check,
    asset: { id: `asset of ${check}`, kind: 'standpipe', name: same('立管'), tag: check, path: path.map(same) },
    state: 'open',
    items: 3,
    answered: 0,
    failed: 0,
    photos: 0,
    sealed: false,
    amended: false,
    in_conflict: false,
    kept: null,
    ...more,
  };
}

export function finding(more: Partial<FindingView> = {}): FindingView {
  return {
    id: 'f',
    check: 'c',
    item: 'a',
    asked: null,
    answer: { outcome: 'fail', at: 0 },
    severity: 'serious',
    words: '',
    photos: [],
    issue: null,
    lacks: [],
    kept: null,
    ...more,
  };
}

export function view(items: Item[], more: Partial<CheckView> = {}): CheckView {
  return {
    id: 'c',
    round: 'r',
    stop: stop('c'),
    reference: { id: 'standpipe', version: 1 },
    checklist: { id: 'standpipe', version: 1, asset_kind: 'standpipe', name: same('立管'), items },
    answers: {},
    revs: {},
    last: {},
    open_interlocks: [],
    findings: [],
    photos: [],
    conflicts: [],
    sealed: null,
    amendments: [],
    ...more,
  };
}

/** An engine that holds one check and takes answers and findings to it. */
export class FakeEngine {
  held: CheckView;
  #ops = 0;

  constructor(held: CheckView) {
    this.held = held;
  }

  async invoke(command: string, { new: given }: { new: NewAnswer & NewFinding }): Promise<CheckView> {
    await Promise.resolve();
    if (command === 'answer') {
      this.held = { ...this.held, answers: { ...this.held.answers, [given.item]: given.answer } };
      this.#written(`answer:${given.item}`);
    }
    if (command === 'finding') {
      this.held = { ...this.held, findings: [this.#found(given)] };
      if (given.severity) this.#written(`severity:${given.item}`);
      if (given.words !== null) this.#written(`words:${given.item}`);
    }
    return this.held;
  }

  /** Each that is written has an operation of its own. */
  #written(field: string): void {
    this.#ops += 1;
    this.held = { ...this.held, revs: { ...this.held.revs, [field]: [`op ${this.#ops}`] } };
  }

  #found({ check, item, severity, words }: NewFinding): FindingView {
    const before = this.held.findings[0];
    return finding({
      check,
      item,
      severity: severity ?? before?.severity ?? 'serious',
      words: words ?? before?.words ?? '',
    });
  }
}
