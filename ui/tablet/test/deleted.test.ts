import { follow, speak, type RoundView } from '@standpipe/kit';
import { render } from 'svelte/server';
import { expect, it, vi } from 'vitest';
import { finding, item, stop, view } from './estate';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { default: RouteList } = await import('../src/round/RouteList.svelte');
const { default: Overview } = await import('../src/round/Overview.svelte');
const { default: Summary } = await import('../src/signoff/Summary.svelte');
const { default: Check } = await import('../src/check/Check.svelte');
const { default: ItemCard } = await import('../src/check/ItemCard.svelte');
const { default: ItemRow } = await import('../src/check/ItemRow.svelte');
const { ItemWork } = await import('../src/check/itemWork.svelte');
const { CheckWork, workOn } = await import('../src/check/work.svelte');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);
speak('en');

const kept = { by: '物业经理', at: 1_688_173_200_000, signed: false };
it('marks in the route which stops were deleted and kept, or a finding of which', () => {
  const stops = [stop('own', { kept }), stop('of-a-finding'), stop('neither')];
  const findings = [finding({ check: 'of-a-finding', kept }), finding({ check: 'neither' })];
  const { body } = render(RouteList, { props: { stops, findings, round: 'r', current: null } });
  const marked = ['own', 'of-a-finding', 'neither'].filter((check) => body.includes(`data-testid="kept-${check}"`));
  expect(marked).toEqual(['own', 'of-a-finding']);
});

it.each([
  [false, kept],
  [true, { ...kept, signed: true }],
])('tells under the question of a finding that was kept (signed: %s)', (signed, kept) => {
  const answers = { a: { outcome: 'fail', at: 0 } } as const;
  const sealed = signed ? { by: ['甲'], at: 0 } : null;
  const held = view([item('a')], { answers, sealed, findings: [finding({ kept })] });
  const check = new CheckWork('c');
  check.live.take(held);
  const work = new ItemWork(check, held.checklist!.items[0]!);
  const props = { work, view: held, item: item('a'), position: 1, count: 1, ask: () => {}, amending: null };
  expect(render(ItemCard, { props }).body).toContain('Finding deleted by 物业经理');
  expect(render(ItemRow, { props: { view: held, item: item('a'), ask: () => {} } }).body).toContain(
    'Deleted, but kept',
  );
});

it('tells above the questions of a stop that was kept', () => {
  workOn('c').live.take(view([item('a')], { stop: stop('c', { kept }) }));
  const { body } = render(Check, { props: { id: 'c', round: undefined, goTo: 'a' } });
  expect(body.match(/\w+ deleted by 物业经理/g)).toEqual(['Check deleted by 物业经理']);
});

it('tells of a round that was kept above its route, and to whoever signs it', () => {
  const line = { state: 'under-way', kind: 'routine', due: '2023-07-01', answered: 0, items: 3, findings: 0 };
  const round = { id: 'r', title: { 'zh-CN': '检查', en: 'Round' }, kind: 'routine', due: '2023-07-01', reason: null };
  const stops = [stop('a')];
  const obstacles = { unanswered: 3, incomplete: 0, in_conflict: 0 };
  const about = { round, line, stops, obstacles, present: [], sign_offs: [], amendments: [], photos: 0 };
  const shown = (screen: typeof Overview, of: Pick<RoundView, 'kept' | 'findings'>) =>
    render(screen, { props: { view: { ...about, ...of } as unknown as RoundView } }).body.match(
      /\w+ deleted by 物业经理/g,
    );
  expect(shown(Overview, { kept, findings: [] })).toEqual(['Round deleted by 物业经理']);
  expect(shown(Overview, { kept: null, findings: [] })).toBeNull();
  const told = ['Round deleted by 物业经理', 'Finding deleted by 物业经理'];
  expect(shown(Summary, { kept, findings: [finding({ check: 'a', kept })] })).toEqual(told);
});
