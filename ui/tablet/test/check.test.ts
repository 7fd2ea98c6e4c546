import type { Answer, Outcome } from '@standpipe/kit';
import { describe, expect, it } from 'vitest';
import { formOf, formWith, isFound, saysTheSame } from '../src/check/amendment';
import { after, answerByNow, conflictsOf, locked, markOfItem, nextOpen, outcomeOf } from '../src/check/items';
import { item, view } from './estate';

const given = (outcome: Outcome, more: Partial<Answer> = {}): Answer => ({ outcome, at: 0, ...more });
const three = [item('a'), item('b'), item('c')];

describe('what is asked next', () => {
  it('is the next item without an answer, from the top again after the last', () => {
    const answers = { b: given('pass') };
    expect(nextOpen(view(three, { answers }), 'a')).toBe('c');
    expect(nextOpen(view(three, { answers }), 'c')).toBe('a');
    expect(nextOpen(view(three), null)).toBe('a');
  });

  it('is nothing once every item has an answer', () => {
    const answers = { a: given('pass'), b: given('fail'), c: given('not-applicable') };
    expect(nextOpen(view(three, { answers }), 'b')).toBeNull();
    expect(after(view(three, { answers }), 'c')).toBeNull();
    expect(after(view(three, { answers }), 'a')).toBe('b');
  });
});

describe('a reading', () => {
  const pressure = item('p', { answer: { type: 'reading', unit: 'MPa', limit: { min: 0.35, max: 0.5 } } });
  const read = (outcome: Outcome, value: number) => given(outcome, { reading: { value, unit: 'MPa' } });

  it('fails outside its limit and passes within it', () => {
    expect(outcomeOf(pressure, 0.2, undefined)).toBe('fail');
    expect(outcomeOf(pressure, 0.35, undefined)).toBe('pass');
  });

  it('that failed by its number passes once the number is right', () => {
    expect(outcomeOf(pressure, 0.4, read('fail', 0.2))).toBe('pass');
  });

  it('that somebody failed although it lies within stays failed', () => {
    expect(outcomeOf(pressure, 0.42, read('fail', 0.4))).toBe('fail');
  });
});

describe('an amendment with a text that no record took', () => {
  const signed = given('fail', { note: '漏' });

  it('says it in place of what was signed', () => {
    expect(formWith({ text: '漏水' }, signed, null)).toEqual({ ...formOf(signed), text: '漏水' });
  });

  it('leaves what was typed into it before', () => {
    const begun = { ...formOf(signed), text: '滴', reason: '看错' };
    expect(formWith({ text: '漏水' }, signed, begun)).toEqual({ ...begun, text: '滴\n漏水' });
    expect(formWith({ text: '漏水' }, signed, { ...begun, text: '漏' }).text).toBe('漏水');
  });

  it('has a number for its reading', () => {
    const begun = { ...formOf(signed), text: '滴', number: '0.3' };
    expect(formWith({ number: '0.38' }, signed, begun)).toEqual({ ...begun, number: '0.38' });
  });
});

describe('an item', () => {
  it('that draws water is locked until nothing is left to pass before', () => {
    const water = item('w', { draws_water: true });
    expect(locked(view([water], { open_interlocks: ['told'] }), water)).toBe(true);
    expect(locked(view([water]), water)).toBe(false);
    expect(locked(view([water], { open_interlocks: ['told'] }), item('look'))).toBe(false);
  });

  it('in conflict is marked so, whatever is shown meanwhile', () => {
    const conflict = { field: 'answer:a', base: null, sides: [] };
    const shown = view(three, { answers: { a: given('pass'), b: given('pass') }, conflicts: [conflict] });
    expect(conflictsOf(shown, 'a')).toEqual([conflict]);
    expect([markOfItem(shown, 'a'), markOfItem(shown, 'b'), markOfItem(shown, 'c')]).toEqual([
      'attention',
      'pass',
      'open',
    ]);
  });
});

describe('an amendment', () => {
  const amended = (of: string, answer: Answer) => ({ item: of, answer, reason: 'r', by: '甲', at: 0, signed: false });
  const shown = view(three, {
    answers: { a: given('pass'), b: given('pass') },
    amendments: [amended('a', given('fail', { note: '锈' })), amended('b', given('fail')), amended('a', given('pass'))],
  });

  it('is held against the latest before it, or else against what was signed', () => {
    expect(answerByNow(shown, 'a')?.outcome).toBe('pass');
    expect(answerByNow(shown, 'b')?.outcome).toBe('fail');
    expect(answerByNow(view(three, { answers: { c: given('fail') } }), 'c')?.outcome).toBe('fail');
    expect(answerByNow(shown, 'c')).toBeUndefined();
  });

  it('says something else than what is answered by now, and nothing counts beside "not applicable"', () => {
    const now = given('pass', { reading: { value: 0.4, unit: 'MPa' }, note: '锈' });
    const form = formOf(now);
    expect(saysTheSame({ ...form, number: '0.40', text: '锈 ', reason: 'x' }, now)).toBe(true);
    expect(saysTheSame({ ...form, number: '0.41' }, now)).toBe(false);
    expect(saysTheSame({ ...form, text: '' }, now)).toBe(false);
    expect(saysTheSame({ ...form, outcome: 'fail' }, now)).toBe(false);
    const none = given('not-applicable');
    expect(saysTheSame({ ...formOf(none), number: '7' }, none)).toBe(true);
  });

  it('finds something where what did not fail fails', () => {
    const form = { ...formOf(given('pass')), outcome: 'fail' } as const;
    expect(isFound(form, given('pass'), given('pass'))).toBe(true);
    expect(isFound(form, undefined, undefined)).toBe(true);
    expect(isFound(form, given('fail'), given('pass'))).toBe(false);
    // What was signed as a fail has its finding already.
    expect(isFound(form, given('pass'), given('fail'))).toBe(false);
  });
});
