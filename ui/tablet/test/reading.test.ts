import type { Answer } from '@standpipe/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, item, stop, view } from './estate';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { CheckWork, readingName, typedIn } = await import('../src/check/work.svelte');
const { ItemWork } = await import('../src/check/itemWork.svelte');
const { keep, kept } = await import('../src/kept');

const pressure = item('p', { answer: { type: 'reading', unit: 'MPa', limit: { min: 0.35, max: 0.5 } } });
const name = readingName('c', 'p');
let engine: FakeEngine;
let check: InstanceType<typeof CheckWork>;

beforeEach(() => {
  vi.useFakeTimers();
  begin();
});

afterEach(async () => {
  await vi.runAllTimersAsync();
  vi.useRealTimers();
  await keep(name, '');
});

function begin(more: Partial<ReturnType<typeof view>> = {}): void {
  engine = new FakeEngine(view([pressure], more));
  invoke.mockReset().mockImplementation(engine.invoke.bind(engine));
  check = new CheckWork('c');
  check.live.take(engine.held);
}

function asked(typed?: string) {
  const work = new ItemWork(check, pressure);
  if (typed !== undefined) work.typed!.type(typed);
  return work;
}

const recorded = () => engine.held.answers['p'];
const given = (outcome: Answer['outcome'], value: number) => ({ outcome, reading: { value, unit: 'MPa' } as const });
const answered = (value: number) => ({ answers: { p: { ...given('pass', value), at: 0 } } });

describe('a number that is being typed', () => {
  it('is judged, and kept within a second, but is no answer', async () => {
    const work = asked('0.3');
    expect(work.value).toBe(0.3);
    await vi.advanceTimersByTimeAsync(999);
    expect(invoke.mock.calls).toEqual([['keep_draft', { name, text: '0.3' }]]);
  });

  it('is let go of by "not applicable", also where that was the answer before and what was typed is no number', async () => {
    begin({ answers: { p: { outcome: 'not-applicable', at: 0 } } });
    const work = asked('abc');
    await vi.advanceTimersByTimeAsync(999);
    expect(kept(name)).toBe('abc');
    expect(await work.give('not-applicable')).toBe(true);
    await vi.runAllTimersAsync();
    expect(kept(name)).toBe('');
  });

  it('is recorded with the outcome that is tapped, and no draft is left of it', async () => {
    const work = asked('0.4');
    expect(await work.give('pass')).toBe(true);
    expect(recorded()).toMatchObject(given('pass', 0.4));
    await vi.runAllTimersAsync();
    expect(kept(name)).toBe('');
    expect(work.typed!.text).toBe('0.4');
  });

  it('is recorded over what was shown when it was begun, not over what it hides since', async () => {
    begin({ ...answered(0.4), revs: { 'answer:p': ['old'] } });
    const work = asked('0.38');
    await vi.advanceTimersByTimeAsync(999);
    check.live.take({ ...engine.held, ...answered(0.45), revs: { 'answer:p': ['theirs'] } });
    work.follow();
    await work.give('pass');
    const said = () => invoke.mock.calls.filter(([command]) => command === 'answer').at(-1)![1];
    expect(said()).toMatchObject({ new: { seen: ['old'] } });
    // Without a number of one's own it is what is shown.
    work.follow();
    await work.give('fail');
    expect(said()).toMatchObject({ new: { seen: ['op 1'] } });
  });

  it('stays kept when the record was refused', async () => {
    const work = asked('0.4');
    invoke.mockImplementation((command: string) =>
      command === 'answer' ? Promise.reject({ code: 'disk-full' }) : Promise.resolve(null),
    );
    expect(await work.give('pass')).toBe(false);
    expect(work.refusal).toEqual({ code: 'disk-full' });
    expect(kept(name)).toBe('0.4');
  });

  it('is recorded by what it amounts to when the item is left, with the finding of a fail', async () => {
    asked('0.2').leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toMatchObject(given('fail', 0.2));
    expect(engine.held.findings).toMatchObject([{ item: 'p' }]);
    expect(kept(name)).toBe('');
  });

  it('stays a draft when the item is left in the middle of it, and stands there again', async () => {
    asked('0.').leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toBeUndefined();
    expect(asked().typed!.text).toBe('0.');
    expect(typedIn([stop('c')])).toEqual([{ check: 'c', item: 'p' }]);
    expect(typedIn([stop('c', { sealed: true })])).toEqual([]);
  });

  it('is dropped by "not applicable"', async () => {
    const work = asked('0.4');
    await work.give('not-applicable');
    work.leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toMatchObject({ outcome: 'not-applicable' });
    expect(recorded()).not.toHaveProperty('reading');
    expect(kept(name)).toBe('');
  });

  it('is not recorded where water may not be drawn yet, nor on a check that is sealed', async () => {
    const water = { ...pressure, draws_water: true };
    check.live.take(view([water], { open_interlocks: ['told'] }));
    const work = new ItemWork(check, water);
    work.typed!.type('0.4');
    expect(await work.settle()).toBe(true);
    begin({ sealed: { by: [], at: 0 } });
    expect(await asked('0.4').settle()).toBe(true);
    expect(invoke.mock.calls.filter(([command]) => command === 'answer')).toEqual([]);
  });
});

describe('a number that is recorded', () => {
  it('is not recorded again when the item is looked at and left', async () => {
    begin(answered(0.4));
    const work = asked();
    expect(work.typed!.text).toBe('0.4');
    work.leave();
    await vi.runAllTimersAsync();
    expect(invoke).not.toHaveBeenCalled();
  });

  it('leaves no draft when it is typed once more as it stands', async () => {
    begin(answered(0.4));
    const work = asked('0.45');
    await work.typed!.flush();
    expect(kept(name)).toBe('0.45');
    work.typed!.type('0.40');
    await work.typed!.flush();
    expect(kept(name)).toBe('');
  });

  it('lets go of a draft that was left because the app ended right after the record', async () => {
    begin(answered(0.4));
    await keep(name, '0.4');
    asked().leave();
    await vi.runAllTimersAsync();
    expect(kept(name)).toBe('');
    expect(invoke.mock.calls.some(([command]) => command === 'answer')).toBe(false);
  });
});
