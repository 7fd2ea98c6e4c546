import { afterEach, describe, expect, it } from 'vitest';
import { bytes, date, judge, limit, limitSentence, list, number, problem, reading, reason, speak, words } from '../src';

afterEach(() => speak('zh-CN'));

describe('formatting', () => {
  it('counts bytes as shops do', () => {
    speak('en');
    expect([0, 999, 1_000, 3_300_000, 24_000_000, 9_999_999_999].map(bytes)).toEqual([
      '0\u00a0B',
      '999\u00a0B',
      '1\u00a0kB',
      '3.3\u00a0MB',
      '24\u00a0MB',
      '10\u00a0GB',
    ]);
  });

  it('shows a calendar day as that day, whatever the time zone', () => {
    speak('zh-CN');
    expect(date('2023-07-01')).toBe('2023年7月1日');
    speak('en');
    expect(date('2023-07-01')).toBe('Jul 1, 2023');
  });

  it('keeps the digits of a reading and no more', () => {
    speak('en');
    expect([0.35, 12345.6789].map((value) => number(value))).toEqual(['0.35', '12,345.679']);
  });

  it('says a limit in the words of the language', () => {
    speak('en');
    expect(limit({ min: 0.35, max: 0.5 }, 'MPa')).toBe('0.35 to 0.5 MPa');
    expect(limit({ min: 2, max: null }, 'persons')).toBe('at least 2 persons');
    speak('zh-CN');
    expect(limit({ min: 2, max: null }, 'persons')).toBe('不低于 2 人');
    expect(limit({ min: null, max: null }, 'm')).toBe('无限值');
    expect(limitSentence({ min: null, max: null }, 'm')).toBe('无限值');
    expect(limitSentence({ min: 2, max: null }, 'persons')).toBe('限值：不低于 2 人');
  });

  it('joins a list', () => {
    speak('en');
    expect([list([]), list(['a']), list(['a', 'b']), list(['a', 'b', 'c'])]).toEqual([
      '',
      'a',
      'a and b',
      'a, b and c',
    ]);
  });

  it('falls back to the other language where a name is missing', () => {
    speak('en');
    expect(words({ 'zh-CN': '一期', en: '' })).toBe('一期');
  });
});

describe('readings', () => {
  it.each([
    ['0.35', 0.35],
    ['0,35', 0.35],
    ['.5', 0.5],
    ['-2', -2],
    ['０．３５', 0.35],
    ['5.', 5],
    ['', null],
    ['-', null],
    ['1.2.3', null],
    ['abc', null],
    ['1e9', null],
  ])('reads %j as %j', (text, value) => {
    expect(reading(text)).toBe(value);
  });

  it('counts the ends of a range as within it', () => {
    const range = { min: 0.35, max: 0.5 };
    expect([0.349, 0.35, 0.5, 0.501].map((value) => judge(range, value))).toEqual([
      'too-low',
      'within',
      'within',
      'too-high',
    ]);
    expect(judge({ min: null, max: null }, 7)).toBe('unjudged');
  });
});

describe('problems', () => {
  it('have a sentence with what it needs', () => {
    speak('en');
    expect(problem({ code: 'no-room', message: '', details: { needed: 4_000_000, free: 1_000 } })).toContain(
      '4\u00a0MB needed, 1\u00a0kB free',
    );
  });

  it('own up to a code that nobody has words for', () => {
    for (const [language, text] of [
      ['en', 'did not work (from-tomorrow)'],
      ['zh-CN', '没有成功（from-tomorrow）'],
    ] as const) {
      speak(language);
      expect(reason('from-tomorrow')).toContain(text);
    }
  });

  it('say something about whatever was thrown', () => {
    speak('en');
    expect(problem(new TypeError('Failed to fetch'))).toBe('No connection. Please try again.');
    for (const thrown of ['boom', null]) expect(problem(thrown)).toContain('Nothing that was saved is lost.');
    for (const thrown of ['boom', null]) expect(problem(thrown)).not.toContain('unexpected');
  });
});
