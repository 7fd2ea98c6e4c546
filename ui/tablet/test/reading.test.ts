import type { Answer, NewAnswer } from '@standpipe/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { FakeEngine, item, stop, view } from './estate';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { CheckWork, typedIn } = await import('../src/check/work.svelte');
const { ItemWork } = await import('../src/check/itemWork.svelte');
const { waiting, waitingName } = await import('../src/check/waiting');
const { keep } = await import('../src/kept');

const pressure = item('p', { answer: { type: 'reading', unit: 'MPa', limit: { min: 0.35, max: 0.5 } } });
const name = waitingName('reading', 'c', 'p');
const kept = () => waiting('reading', 'c', 'p')?.text ?? '';
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

/** What the engine was told last. */
const said = () => invoke.mock.calls.filter(([command]) => command === 'answer').at(-1)![1].new as NewAnswer;
const recorded = () => engine.held.answers['p'];
const given = (outcome: Answer['outcome'], value: number) => ({ outcome, reading: { value, unit: 'MPa' } as const });
const answered = (value: number) => ({ answers: { p: { ...given('pass', value), at: 0 } } });

describe('a number that is being typed', () => {
  it('is judged, and kept within a second, but is no answer', async () => {
    const work = asked('0.3');
    expect(work.value).toBe(0.3);
    await vi.advanceTimersByTimeAsync(999);
    expect(invoke.mock.calls).toMatchObject([['keep_draft', { name }]]);
    expect(kept()).toBe('0.3');
  });

  it('is let go of by "not applicable", also where that was the answer before and what was typed is no number', async () => {
    begin({ answers: { p: { outcome: 'not-applicable', at: 0 } } });
    const work = asked('abc');
    await vi.advanceTimersByTimeAsync(999);
    expect(kept()).toBe('abc');
    expect(await work.give('not-applicable')).toBe(true);
    await vi.runAllTimersAsync();
    expect(kept()).toBe('');
  });

  it('is recorded with the outcome that is tapped, and no draft is left of it', async () => {
    const work = asked('0.4');
    expect(await work.give('pass')).toBe(true);
    expect(recorded()).toMatchObject(given('pass', 0.4));
    await vi.runAllTimersAsync();
    expect(kept()).toBe('');
    expect(work.typed!.text).toBe('0.4');
  });

  it('is recorded over what was shown when it was begun, not over what it hides since', async () => {
    begin({ ...answered(0.4), revs: { 'answer:p': ['old'] } });
    const work = asked('0.38');
    await vi.advanceTimersByTimeAsync(999);
    check.live.take({ ...engine.held, ...answered(0.45), revs: { 'answer:p': ['theirs'] } });
    work.follow();
    await work.give('pass');
    expect(said()).toMatchObject({ seen: ['old'] });
    // Without a number of one's own it is what is shown.
    work.follow();
    await work.give('fail');
    expect(said()).toMatchObject({ seen: ['op 1'] });
  });

  it('is recorded over what was shown when it was begun, also after the app was started again', async () => {
    begin({ ...answered(0.4), revs: { 'answer:p': ['old'] } });
    asked('0.38');
    await vi.advanceTimersByTimeAsync(999);
    begin({ ...answered(0.45), revs: { 'answer:p': ['theirs'] } });
    await asked().give('pass');
    expect(said()).toMatchObject({ answer: { reading: { value: 0.38 } }, seen: ['old'] });
  });

  it('that an older version kept is recorded over what is shown when somebody goes on', async () => {
    await keep(name, '0.38');
    begin({ ...answered(0.45), revs: { 'answer:p': ['theirs'] } });
    const work = asked();
    expect([work.typed!.text, work.typed!.state]).toEqual(['0.38', 'saved']);
    await work.give('pass');
    expect(said()).toMatchObject({ answer: { reading: { value: 0.38 } }, seen: ['theirs'] });
  });

  it('stays kept when the record was refused', async () => {
    const work = asked('0.4');
    invoke.mockImplementation((command: string) =>
      command === 'answer' ? Promise.reject({ code: 'disk-full' }) : Promise.resolve(null),
    );
    expect(await work.give('pass')).toBe(false);
    expect(work.refusal).toEqual({ code: 'disk-full' });
    expect(kept()).toBe('0.4');
  });

  it('is recorded by what it amounts to when the item is left, with the finding of a fail', async () => {
    asked('0.2').leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toMatchObject(given('fail', 0.2));
    expect(engine.held.findings).toMatchObject([{ item: 'p' }]);
    expect(kept()).toBe('');
  });

  it('stays a draft when the item is left in the middle of it, and stands there again', async () => {
    asked('0.').leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toBeUndefined();
    expect(asked().typed!.text).toBe('0.');
    expect(typedIn([stop('c')])).toMatchObject([{ check: 'c', item: 'p' }]);
    expect(typedIn([stop('c', { sealed: true })])).toEqual([]);
  });

  it('is dropped by "not applicable"', async () => {
    const work = asked('0.4');
    await work.give('not-applicable');
    work.leave();
    await vi.runAllTimersAsync();
    expect(recorded()).toMatchObject({ outcome: 'not-applicable' });
    expect(recorded()).not.toHaveProperty('reading');
    expect(kept()).toBe('');
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
    expect(kept()).toBe('0.45');
    work.typed!.type('0.40');
    await work.typed!.flush();
    expect(kept()).toBe('');
  });

  it('lets go of a draft that was left because the app ended right after the record', async () => {
    begin(answered(0.4));
    await keep(name, '0.4');
    asked().leave();
    await vi.runAllTimersAsync();
    expect(kept()).toBe('');
    expect(invoke.mock.calls.some(([command]) => command === 'answer')).toBe(false);
  });
});
