import { describe, expect, it } from 'vitest';
import type { Person } from '@standpipe/kit';
import { begin, beside, ofUnit, request, type Draft } from '../src/issues/steps';

const empty: Draft = { unit: '', person: '', date: '', words: '', seen: ['a', 'b'] };
const refused = (code: string) => ({ code, message: '', details: {} });
const issue = {
  unit_id: 'u',
  person_id: 'p',
  deadline: '2023-07-20',
  solution: { words: '换阀', date: '2023-07-15' },
  statuses: ['a', 'b'].map((rev) => ({ rev, status: 'assigned', by: '甲' }) as const),
};

describe('a step’s form', () => {
  it('begins with what stands already, for the steps that change it', () => {
    expect(begin('assign', issue)).toEqual({ ...empty, unit: 'u', person: 'p', date: '2023-07-20' });
    expect(begin('propose', issue)).toEqual({ ...empty, date: '2023-07-15', words: '换阀' });
    expect(begin('object', issue)).toEqual(empty);
  });

  it('sends nothing where nothing was chosen', () => {
    expect(request('propose', { ...empty, words: ' 换阀 ' })).toEqual({
      step: 'propose',
      unit: null,
      person: null,
      date: null,
      words: '换阀',
      seen: ['a', 'b'],
    });
  });
});

describe('a refusal', () => {
  it('stands beside each entry of an assignment that is missing', () => {
    const error = refused('assignment-incomplete');
    expect(beside(error, { ...empty, unit: 'u' })).toEqual({ person: 'needPerson', date: 'needDate' });
    expect(beside(error, { ...empty, unit: 'u', person: 'p', date: '2023-07-20' })).toBe('form');
  });

  it('stands beside the date or the words', () => {
    expect(beside(refused('no-date'), empty)).toEqual({ date: 'said' });
    expect(beside(refused('no-words'), empty)).toEqual({ words: 'said' });
  });

  it.each(['own-claim', 'not-allowed', 'not-from-here', 'of-a-later-version'])('of %s is about the step', (code) => {
    expect(beside(refused(code), empty)).toBe('form');
  });
});

it('offers the persons of the unit only, by their names', () => {
  const person = (name: string, unit: string): Person => ({ id: name, name, unit, roles: [] });
  const people = [person('Wu', 'a'), person('An', 'a'), person('Bo', 'b')];
  expect(ofUnit(people, 'a', 'en').map(({ name }) => name)).toEqual(['An', 'Wu']);
  expect(ofUnit(people, '', 'en')).toEqual([]);
});
