import { afterEach, describe, expect, it } from 'vitest';
import { speak, type IssueLine, type Severity, type Status } from '@standpipe/kit';
import { asked, shows, sorted } from '../src/issues/list';

afterEach(() => speak('zh-CN'));

const line = (more: Partial<IssueLine>): IssueLine => ({
  id: '1',
  number: 'ZJ-1',
  title: { 'zh-CN': '阀门', en: 'Valve' },
  words: '',
  finding: null,
  severity: 'minor',
  status: 'open',
  unit: null,
  person: null,
  deadline: null,
  overdue: false,
  withdrawn: false,
  path: [],
  asset: null,
  changed: 0,
  ...more,
});

describe('what is listed', () => {
  it('asks the hub for one status, and sees itself to what cuts across them', () => {
    expect(asked({ show: 'proposed', unit: '', q: '' })).toEqual({ status: 'proposed', unit: null, q: '' });
    expect(asked({ show: 'overdue', unit: 'u', q: 'x' })).toEqual({ status: null, unit: 'u', q: 'x' });
  });

  it('is open until it is closed: a verified fix still wants to be closed', () => {
    const statuses: Status[] = ['open', 'verified', 'closed', 'reopened'];
    expect(statuses.filter((status) => shows('unclosed', line({ status })))).toEqual(['open', 'verified', 'reopened']);
    expect(shows('overdue', line({ overdue: true }))).toBe(true);
    expect(shows('overdue', line({ deadline: '2001-01-01' }))).toBe(false);
    expect(shows('closed', line({ status: 'open' }))).toBe(false);
  });
});

describe('the order', () => {
  const numbers = (lines: IssueLine[]) => lines.map(({ number }) => number);

  it('counts numbers as numbers', () => {
    const lines = ['ZJ-10', 'ZJ-9', 'ZJ-100'].map((number) => line({ number }));
    expect(numbers(sorted(lines, { sort: 'number', down: false }, 'en'))).toEqual(['ZJ-9', 'ZJ-10', 'ZJ-100']);
    expect(numbers(sorted(lines, { sort: 'number', down: true }, 'en'))).toEqual(['ZJ-100', 'ZJ-10', 'ZJ-9']);
  });

  it('puts what has no deadline last, in either direction', () => {
    const lines = [null, '2023-07-20', '2023-06-25'].map((deadline, at) => line({ deadline, number: `${at}` }));
    expect(numbers(sorted(lines, { sort: 'deadline', down: false }, 'en'))).toEqual(['2', '1', '0']);
    expect(numbers(sorted(lines, { sort: 'deadline', down: true }, 'en'))).toEqual(['1', '2', '0']);
  });

  it('goes by how bad it is and how far it has got, not by the words for that', () => {
    const severities: Severity[] = ['serious', 'critical', 'minor'];
    const bySeverity = sorted(
      severities.map((severity) => line({ severity })),
      { sort: 'severity', down: true },
      'en',
    );
    expect(bySeverity.map(({ severity }) => severity)).toEqual(['critical', 'serious', 'minor']);
    const statuses: Status[] = ['closed', 'agreed', 'open'];
    const byStatus = sorted(
      statuses.map((status) => line({ status })),
      { sort: 'status', down: false },
      'en',
    );
    expect(byStatus.map(({ status }) => status)).toEqual(['open', 'agreed', 'closed']);
  });

  it('leaves equal lines as they came, and the list that it was given', () => {
    const lines = ['b', 'a', 'c'].map((number) => line({ number }));
    expect(numbers(sorted(lines, { sort: 'changed', down: true }, 'en'))).toEqual(['b', 'a', 'c']);
    sorted(lines, { sort: 'number', down: false }, 'en');
    expect(numbers(lines)).toEqual(['b', 'a', 'c']);
  });

  it('goes by the title that is read', () => {
    const lines = [
      line({ number: '1', title: { 'zh-CN': '阿', en: 'Zinc' } }),
      line({ number: '2', title: { 'zh-CN': '左', en: 'Alarm' } }),
    ];
    speak('en');
    expect(numbers(sorted(lines, { sort: 'title', down: false }, 'en'))).toEqual(['2', '1']);
    speak('zh-CN');
    expect(numbers(sorted(lines, { sort: 'title', down: false }, 'zh-CN'))).toEqual(['1', '2']);
  });
});
