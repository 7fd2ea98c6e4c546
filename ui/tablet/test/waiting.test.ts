import { follow, languages, problem, speak, type Answer, type CheckView, type Today } from '@standpipe/kit';
import { render } from 'svelte/server';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, item, stop, view } from './estate';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn(), Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { m } = await import('../src/paraglide/messages.js');
const { typedIn, workOn } = await import('../src/check/work.svelte');
const { ItemWork } = await import('../src/check/itemWork.svelte');
const { checksWaiting, waiting, waitingName } = await import('../src/check/waiting');
const { dismiss, stranded } = await import('../src/check/unrecorded.svelte');
const { keep, keptUnder } = await import('../src/kept');
const { Live } = await import('../src/live.svelte');
const { default: Check } = await import('../src/check/Check.svelte');
const { default: ItemCard } = await import('../src/check/ItemCard.svelte');
const { default: TodayScreen } = await import('../src/screens/Today.svelte');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

const door = item('door');
const pressure = item('p', { answer: { type: 'reading', unit: 'MPa', limit: { min: 0.35, max: 0.5 } } });
const work = workOn('c');
const sealed = { sealed: { by: ['乙'], at: 0 } };
const unknown = { code: 'unknown', message: '', details: {} };
const given = (answer: Omit<Answer, 'at'>) => ({
  answers: { door: { ...answer, at: 0 } },
  revs: { 'answer:door': ['theirs'] },
});

let engine: FakeEngine;

beforeEach(async () => {
  speak('en');
  invoke.mockReset().mockResolvedValue(null);
  for (const name of keptUnder('')) await keep(name, '');
  shows();
});

function shows(more: Partial<CheckView> = {}): void {
  engine = new FakeEngine(view([door, pressure], more));
  invoke.mockReset().mockImplementation(engine.invoke.bind(engine));
  work.live.take(engine.held);
}

function card(asked = new ItemWork(work, door)): string {
  const props = {
    work: asked,
    view: work.view!,
    item: asked.item,
    position: 1,
    count: 2,
    ask: vi.fn(),
    amending: null,
  };
  return render(ItemCard, { props }).body;
}

const asks = /class="[^"]*\basks\b/;

const today = () => {
  const now = { site: { 'zh-CN': '小区', en: 'Site' }, date: '2023-07-01', rounds: [] } as unknown as Today;
  new Live<Today>('today', vi.fn()).take(now);
  return render(TodayScreen).body;
};
const atCheck = (goTo = 'door') => render(Check, { props: { id: 'c', round: undefined, goTo } }).body;
const texts = (body: string) => [...body.matchAll(/data-testid="unrecorded-text">([^<]*)/g)].map(([, text]) => text);

describe('what was typed and is in no record', () => {
  it("stands in a signature's way, a note as well as a number, once for each item", async () => {
    await work.note('door', '门锁着');
    await work.note('p', '表盘看不清');
    await work.keep('reading', 'p', '0.', []);
    expect(typedIn([stop('c'), stop('other')])).toEqual([
      { check: 'c', item: 'door', question: door.question },
      { check: 'c', item: 'p', question: pressure.question },
    ]);
    expect(typedIn([stop('c', { sealed: true })])).toEqual([]);
  });

  it('says that it waits, also where it was typed on an earlier visit, and what it waits for', async () => {
    await work.note('door', '门锁着');
    for (const language of languages) {
      speak(language);
      expect(card()).toContain(m['item.noteWaits']());
      expect(card()).not.toMatch(asks);
      shows(given({ outcome: 'pass', note: '好' }));
      const body = card();
      expect(body).toContain('门锁着');
      expect(body).toContain(m['item.noteWaitsBeside']());
      expect(body).toMatch(asks);
      expect(body).not.toContain(m['item.noteWaits']());
      shows();
    }
  });

  it('is recorded once its author gives the same outcome as a colleague did', async () => {
    await work.note('door', '门锁着');
    shows(given({ outcome: 'pass' }));
    expect(await new ItemWork(work, door).give('pass')).toBe(true);
    expect(engine.held.answers['door']).toMatchObject({ outcome: 'pass', note: '门锁着' });
    expect(waiting('note', 'c', 'door')).toBeUndefined();
    expect(card()).not.toContain('Kept on this tablet');
  });

  it('is let go of where the app ended right after the record', async () => {
    await work.note('door', '门锁着');
    shows(given({ outcome: 'pass', note: '门锁着' }));
    const asked = new ItemWork(work, door);
    expect(card(asked)).not.toContain('Kept on this tablet');
    asked.leave();
    expect(waiting('note', 'c', 'door')).toBeUndefined();
  });
});

describe('what waits for a record that will not come', () => {
  const type = async () => {
    await work.note('door', '门锁着');
    await work.keep('reading', 'p', '0.38', []);
  };

  it('is shown at its check and on the first screen once the check is sealed, until its person deletes it', async () => {
    await type();
    expect([texts(atCheck()), texts(today())]).toEqual([[], []]);
    shows(sealed);
    for (const language of languages) {
      speak(language);
      for (const body of [atCheck(), today()]) {
        expect(texts(body)).toEqual(['门锁着', '0.38']);
        expect(body).toContain(problem({ ...unknown, code: 'sealed' }));
      }
    }
    expect(today()).toContain('立管 › door');
    expect(today()).toContain('#/round/r/check/c/item/door');
    await dismiss(stranded(work)[0]!.name);
    expect([texts(atCheck()), texts(today())]).toEqual([['0.38'], ['0.38']]);
  });

  it('is not shown where the record has it, and the app ended before that was let go of', async () => {
    await type();
    const number = { outcome: 'pass', reading: { value: 0.38, unit: 'MPa' }, at: 0 } as const;
    shows({ ...sealed, answers: { door: { outcome: 'pass', note: '门锁着', at: 0 }, p: number } });
    expect(texts(today())).toEqual([]);
    shows({ ...sealed, answers: { p: { ...number, reading: { value: 0.4, unit: 'MPa' } } } });
    expect(texts(today())).toEqual(['门锁着', '0.38']);
  });

  it('is shown where its check is gone, with what is known of where it was typed', async () => {
    await type();
    work.live.value = undefined;
    work.live.problem = unknown;
    expect(texts(atCheck())).toEqual(['门锁着', '0.38']);
    const body = today();
    expect(texts(body)).toEqual(['门锁着', '0.38']);
    for (const part of ['立管 › door', '#/round/r/check/c/item/p', problem(unknown)]) expect(body).toContain(part);
    // A tablet that cannot read just now knows nothing of that.
    work.live.problem = { ...unknown, code: 'tablet-fault' };
    expect(texts(today())).toEqual([]);
  });

  it('is shown where its question is on the checklist no more', async () => {
    await work.keep('note', 'old', '门锁着', []);
    expect(texts(atCheck())).toEqual(['门锁着']);
    expect(today()).toContain(problem({ ...unknown, code: 'unknown-item' }));
  });

  it('is shown although an older version kept the bare text', async () => {
    await keep(waitingName('note', 'c', 'door'), '{门锁着');
    await keep(waitingName('reading', 'c', 'p'), '0.38');
    expect(checksWaiting()).toEqual(['c']);
    work.live.value = undefined;
    work.live.problem = unknown;
    expect(texts(today())).toEqual(['{门锁着', '0.38']);
    expect(today()).not.toContain('unrecorded-open');
  });
});

describe('a tap that a seal refused', () => {
  it('says so also once the seal shows', async () => {
    const asked = new ItemWork(work, door);
    invoke.mockRejectedValueOnce({ ...unknown, code: 'sealed' });
    expect(await asked.give('pass')).toBe(false);
    shows(sealed);
    expect(card(asked)).toContain(problem({ ...unknown, code: 'sealed' }));
  });
});
