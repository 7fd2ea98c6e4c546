import { speak, type SetAside } from '@standpipe/kit';
import { render } from 'svelte/server';
import { describe, expect, it, vi } from 'vitest';

vi.mock('@tauri-apps/api/core', () => ({ invoke: vi.fn(), convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { parse, to } = await import('../src/route.svelte');
const { default: Enrol } = await import('../src/screens/Enrol.svelte');
const { default: SetAsideList } = await import('../src/screens/SetAsideList.svelte');
const { piles } = await import('../src/screens/setAside');
const { clockSentence } = await import('../src/screens/clock');
const { strokesOf } = await import('../src/signoff/pad');
const { Live } = await import('../src/live.svelte');

describe('an address', () => {
  it('leads to the screen that wrote it, whatever the names hold', () => {
    expect(parse(to.check('r', 'c/1', '项 %'))).toEqual({ screen: 'check', round: 'r', check: 'c/1', item: '项 %' });
    expect(parse(to.sign('r'))).toEqual({ screen: 'sign', round: 'r' });
    expect(parse(to.issue('7'))).toEqual({ screen: 'issue', id: '7' });
  });

  it('that means nothing leads to the first screen', () => {
    for (const hash of ['', '#', '#/', '#/nowhere', '#/round', '#/issue']) expect(parse(hash).screen).toBe('today');
  });
});

describe('the clock', () => {
  it.each([
    [null, 'Not compared'],
    [1_500, 'agree'],
    [-372_000, '6 min behind'],
    [90_000, '90 s ahead'],
    [26 * 3_600_000, '26 h ahead'],
  ])('that is %j ms ahead is told, not held against anybody', (ahead, told) => {
    speak('en');
    expect(clockSentence(ahead)).toContain(told);
  });
});

describe('what was set aside', () => {
  const words = (text: string) => ({ 'zh-CN': text, en: text });
  const about = { entity: 'check', name: words('立管'), path: [words('一期'), words('3栋')] };
  const record = (at: number, more: Partial<SetAside> = {}): SetAside => ({
    photo: null,
    about,
    field: `answer:${at}`,
    item: null,
    code: 'revoked',
    detail: 'raw detail',
    at,
    ...more,
  });
  const photo = (name: string) => record(1, { photo: name, about: null, field: null, code: 'file-missing' });

  it('is one row for one thing and one reason, with how many and the latest of them, newest first', () => {
    const elsewhere = { ...about, path: [words('二期')] };
    const rows = piles([
      record(3),
      record(9, { code: 'sealed' }),
      record(7),
      record(5, { about: elsewhere }),
      photo('1.jpg'),
      photo('2.jpg'),
    ]);
    expect(rows.map(({ count, latest }) => [count, latest.at])).toEqual([
      [1, 9],
      [2, 7],
      [1, 5],
      [1, 1],
      [1, 1],
    ]);
  });

  it('says of records that the office has them, and of photos that they did not go up, and nothing raw', () => {
    speak('en');
    const shown = (things: SetAside[]) => render(SetAsideList, { props: { things } }).body;
    const [both, records, photos] = [shown([record(1), photo('1.jpg')]), shown([record(1)]), shown([photo('1.jpg')])];
    const says = (text: string) => [both, records, photos].map((body) => body.includes(text));
    expect(says('reached the office')).toEqual([true, true, false]);
    expect(says('did not go up')).toEqual([true, false, true]);
    expect(says('raw detail')).toEqual([false, false, false]);
  });
});

describe('joining again', () => {
  it('begins with the address that is known', () => {
    const { body } = render(Enrol, { props: { known: 'http://10.0.0.7:4180', enrolled: () => {} } });
    expect(body).toContain('value="http://10.0.0.7:4180"');
  });
});

describe('a signature', () => {
  it('is kept in thousandths of the width and milliseconds since the first touch', () => {
    const points = [
      { x: 70, y: 35, time: 1_000, pressure: 0.5 },
      { x: 700, y: 350.4, time: 1_250, pressure: 0.5 },
    ];
    expect(strokesOf([{ points }, { points: [{ x: 0, y: 0, time: 2_000, pressure: 0.5 }] }], 700)).toEqual([
      [
        [100, 50, 0],
        [1000, 501, 250],
      ],
      [[0, 0, 1_000]],
    ]);
  });
});

describe('what is shown', () => {
  it('is not set back by an answer that was asked for before a command changed it', async () => {
    const answers: ((value: string) => void)[] = [];
    const shown = new Live('late', () => new Promise<string>((answer) => answers.push(answer)));
    const reloading = shown.reload();
    shown.take('new');
    answers[0]!('old');
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    expect(shown.value).toBe('new');
    answers[1]!('newest');
    await reloading;
    expect(shown.value).toBe('newest');
  });

  it('stays while the engine cannot say anything newer, with the reason beside it', async () => {
    const shown = new Live<string>('failing', () => Promise.reject({ code: 'tablet-fault' }));
    shown.take('kept');
    await shown.reload();
    expect([shown.value, shown.problem]).toEqual(['kept', { code: 'tablet-fault' }]);
  });
});
