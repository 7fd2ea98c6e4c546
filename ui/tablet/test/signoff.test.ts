import { follow, speak, type RoundView, type SignOffView } from '@standpipe/kit';
import { render } from 'svelte/server';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { stop } from './estate';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { default: Obstacles } = await import('../src/signoff/Obstacles.svelte');
const { default: Summary } = await import('../src/signoff/Summary.svelte');
const { default: SealedRound } = await import('../src/signoff/SealedRound.svelte');
const { readAfter } = await import('../src/signoff/read');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

beforeEach(() => speak('en'));

const signed = {
  id: 's',
  name: '甲',
  objection: null,
  strokes: [],
  at: 0,
  photos_on_their_way: 0,
  photos_unconfirmed: 0,
};
const place = (unit: string, more: Partial<SignOffView> = {}): SignOffView => ({
  unit,
  unit_name: { 'zh-CN': unit, en: unit },
  signed: { ...signed, id: unit },
  unsigned_amendments: 0,
  ...more,
});
const round = (more: Partial<RoundView>) =>
  ({
    round: { id: 'r' },
    stops: [stop('c')],
    findings: [],
    obstacles: { unanswered: 0, incomplete: 0, in_conflict: 0 },
    sign_offs: [],
    sealed_photos: { on_their_way: 0, unconfirmed: 0 },
    ...more,
  }) as unknown as RoundView;

describe('the summary', () => {
  const amended = (outcome: 'pass' | 'fail', at: number) => ({
    check: 'c',
    asset: { 'zh-CN': '水池', en: 'Reservoir' },
    asked: null,
    was: { outcome: 'pass', at: 0 },
    amendment: { item: 'level', answer: { outcome, at }, reason: 'x', by: '甲', at, signed: false },
  });
  const shown = (amendments: ReturnType<typeof amended>[]) => {
    const line = { stops: 1, answered: 1, items: 1 };
    const about = { id: 'r', title: { 'zh-CN': '检查', en: 'Round' }, kind: 'routine', due: '2023-07-01' };
    const view = round({ round: about, line, present: [], photos: 0, amendments } as unknown as Partial<RoundView>);
    return render(Summary, { props: { view } }).body;
  };

  it('does not say that nothing was found above an amendment to fail', () => {
    expect(shown([amended('fail', 1)])).not.toContain('Nothing was found');
    expect(shown([amended('fail', 1)])).toContain('what fails by an amendment stands above');
    // What was set right again is none.
    expect(shown([amended('fail', 1), amended('pass', 2)])).toContain('Nothing was found');
  });
});

describe('what stands in the way of signing', () => {
  const shown = (unsafe: number, typed: string[] = []) =>
    render(Obstacles, {
      props: {
        view: round({}),
        unsafe: unsafe > 0 ? [{ check: 'c', item: 'door', count: unsafe }] : [],
        typed: typed.map((item) => ({ check: 'c', item, question: { 'zh-CN': '静压', en: 'Pressure' } })),
      },
    }).body;

  it('is nothing where nothing is open', () => {
    expect(shown(0)).not.toContain('obstacles');
  });

  it('is a file that is not safe, with the way to its item', () => {
    expect(shown(2)).toContain('2 files are not safe on this tablet yet.');
    expect(shown(1)).toContain('1 file is not safe on this tablet yet.');
    expect(shown(1)).toContain('href="#/round/r/check/c/item/door"');
  });

  it('is a note or a number that was typed and not recorded', () => {
    expect(shown(0, ['p'])).toContain('At 1 question a note or a number was typed that is not recorded yet.');
    expect(shown(0, ['p', 'q'])).toContain('At 2 questions');
    expect(shown(0, ['p'])).toContain('href="#/round/r/check/c/item/p"');
    expect(shown(0, ['p'])).toContain('立管 › Pressure');
  });
});

describe('what is signed after a refusal', () => {
  it('is what was read before it, unless its person was told to read again', () => {
    for (const code of ['disk-full', 'unanswered', 'unsaved'])
      expect(readAfter({ code }, 'read', 'shown')).toBe('read');
    expect(readAfter(new TypeError('no answer'), 'read', 'shown')).toBe('read');
    expect(readAfter({ code: 'changed-meanwhile' }, 'read', 'shown')).toBe('shown');
  });
});

describe('a sealed round', () => {
  const all = (more: Partial<RoundView>) => render(SealedRound, { props: { view: round(more) } }).body;
  const shown = (...sign_offs: SignOffView[]) => all({ sign_offs });

  it('says that everybody has signed once they have', () => {
    const body = shown(place('a'), place('b'));
    expect(body).toContain('data-all="true"');
    expect(body).toContain('Everybody who was asked has signed.');
  });

  it('says how many have', () => {
    const body = shown(place('a'), place('b', { signed: null }));
    expect(body).toContain('data-all="false"');
    expect(body).toContain('1 of 2 have signed. The records');
  });

  it('says where its photos are, and of none that it is at the office unless all are', () => {
    // Each signature covers one of them; what counts is all of them together.
    const one = { ...signed, photos_on_their_way: 1, photos_unconfirmed: 1 };
    const where = (on_their_way: number, unconfirmed: number) => {
      const signs = on_their_way + unconfirmed > 0 ? one : signed;
      const sign_offs = [place('a', { signed: signs }), place('b', { signed: signs })];
      return all({ sign_offs, sealed_photos: { on_their_way, unconfirmed } });
    };
    expect(where(0, 0)).toContain('every photo and clip is at the office');
    for (const body of [where(2, 0), where(0, 31), where(1, 1)]) expect(body).not.toContain('every photo');
    expect(where(2, 0)).toContain('2 sealed photos and clips have still to go from this tablet to the office.');
    expect(where(2, 0)).not.toContain('not confirmed');
    expect(where(0, 31)).toContain('31 sealed photos and clips are not confirmed at the office.');
    expect(where(0, 31)).not.toContain('from this tablet');
    expect(where(1, 1)).toContain('1 sealed photo or clip has still to go');
    expect(where(1, 1)).toContain('1 sealed photo or clip is not confirmed');
    speak('zh-CN');
    expect(where(2, 31)).toContain('还有 2 件待本平板发往办公室');
    expect(where(2, 31)).toContain('有 31 件尚未确认到达办公室');
    expect(where(0, 0)).toContain('已封存，全部照片和短视频已到达办公室');
  });

  it('that was amended says so, and counts those who signed what was amended', () => {
    const body = shown(place('a'), place('b', { unsigned_amendments: 1 }), place('c', { unsigned_amendments: 1 }));
    expect(body).toContain('data-all="false"');
    expect(body).not.toContain('Everybody');
    expect(body).toContain('1 of 3 have signed what was amended since.');
    expect(body).toContain('1 amendment was made since this signature.');
  });
});
