import { asideReason, follow, languages, moment, shownOf, speak, troubleSentence } from '@standpipe/kit';
import type { Choices, SetAside, Surroundings, Trouble } from '@standpipe/kit';
import type { Pile } from '../src/screens/setAside';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { render } from 'svelte/server';
import { describe, expect, it, vi } from 'vitest';

import { item } from './estate';

vi.mock('@tauri-apps/api/core', () => ({
  invoke: vi.fn(),
  convertFileSrc: (path: string) => `/${path}`,
  Channel: class {},
}));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { parse, to } = await import('../src/route.svelte');
const { default: Enrol } = await import('../src/screens/Enrol.svelte');
const { default: SeenToList } = await import('../src/screens/SeenToList.svelte');
const { default: SetAsidePile } = await import('../src/screens/SetAsidePile.svelte');
const { default: SetAsideList } = await import('../src/screens/SetAsideList.svelte');
const { default: ChoicesCard } = await import('../src/screens/Choices.svelte');
const { default: HeldBack } = await import('../src/screens/HeldBack.svelte');
const { piles, remedy } = await import('../src/screens/setAside');
const { whatToDo } = await import('../src/screens/todo');
const { clockSentence } = await import('../src/screens/clock');
const { strokesOf } = await import('../src/signoff/pad');
const { Live } = await import('../src/live.svelte');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

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
    [47 * 3_600_000, '47 h ahead'],
    [48 * 3_600_000, '2 days ahead'],
    [-729 * 86_400_000, '729 days behind'],
    [730 * 86_400_000, '2 years ahead'],
    [3_652.5 * 86_400_000, '10 years ahead'],
  ])('that is %j ms ahead is told, not held against anybody', (ahead, told) => {
    speak('en');
    expect(clockSentence(ahead)).toContain(told);
  });

  it('is to be set once it is five minutes off, and not before', () => {
    for (const [language, advice] of [
      ['en', / Please set the date and time in the system's settings\.$/],
      ['zh-CN', /。请在系统设置中校正日期和时间。$/],
    ] as const) {
      speak(language);
      for (const ahead of [300_000, -300_000, 3e11]) expect(clockSentence(ahead)).toMatch(advice);
      for (const ahead of [null, 0, 299_999, -299_999]) expect(clockSentence(ahead)).not.toMatch(advice);
    }
  });
});

describe('what to do about a trouble', () => {
  const codes = ['not-a-hub', 'bad-address', 'revoked', 'hub-older', 'hub-fault', 'tablet-fault'] as const;

  it('repeats nothing of the line, and is told where there is something to do', () => {
    for (const language of languages) {
      speak(language);
      for (const code of codes) {
        const said = whatToDo({ code, detail: '' } as Trouble);
        expect(said).toMatch(/\p{L}{2}.*[.。]$/u);
        const line = troubleSentence({ code, detail: '' } as Trouble);
        expect(said.split(/(?<=[.。]) ?/).filter((part) => part && line.includes(part))).toEqual([]);
      }
      expect(['no-answer', 'hub-full'].map((code) => whatToDo({ code } as Trouble))).toEqual(['', '']);
    }
    expect(whatToDo(null)).toBe('');
  });
});

describe('what was set aside', () => {
  const words = (text: string) => ({ 'zh-CN': text, en: text });
  const about = { entity: 'check', name: words('立管'), path: [words('一期'), words('3栋')] };
  const record = (at: number, more: Partial<SetAside> = {}): SetAside => ({
    id: { record: `op ${at}` },
    kept: 'at-office',
    seen: null,
    photo: null,
    author: { name: '王工', at: new Date(2023, 5, 30, 8, at).getTime() },
    about,
    content: [{ field: `answer:${at}`, asked: null, value: { outcome: 'fail', note: '漏水', at } }],
    spot: { screen: 'check', round: 'r', check: 'c', item: 'i' },
    code: 'revoked',
    detail: 'raw detail',
    at,
    ...more,
  });
  const photo = (name: string) =>
    record(1, {
      id: { photo: name },
      kept: 'lost',
      photo: name,
      about: null,
      content: [],
      spot: null,
      code: 'file-missing',
    });
  const then = () => Promise.resolve();

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
    expect(rows.map((pile) => [pile.length, pile[0].at])).toEqual([
      [1, 9],
      [2, 7],
      [1, 5],
      [1, 1],
      [1, 1],
    ]);
  });

  it('says of records that they are kept, and of photos that they did not go up, and nothing raw', () => {
    speak('en');
    const shown = (things: SetAside[]) => render(SetAsideList, { props: { things, then } }).body;
    const [both, records, photos] = [shown([record(1), photo('1.jpg')]), shown([record(1)]), shown([photo('1.jpg')])];
    const says = (text: string) => [both, records, photos].map((body) => body.includes(text));
    expect(says('are kept, and do not count')).toEqual([true, true, false]);
    expect(says('did not go up')).toEqual([true, false, true]);
    expect(says('raw detail')).toEqual([false, false, false]);
  });

  it('and is at no office says who recorded it and when, and that the office is to be told where nobody brings it', () => {
    const shown = (...pile: Pile) => render(SetAsidePile, { props: { pile, then } }).body;
    const here = (at: number, more: Partial<SetAside> = {}) =>
      record(at, { kept: 'here', code: 'not-taken-back', ...more });
    const when = (at: number) => moment(new Date(2023, 5, 30, 8, at).getTime());
    for (const language of languages) {
      speak(language);
      expect(shown(here(5))).toMatch(new RegExp(`data-testid="recorded-by">[^<]*王工[^<]*${when(5)}`));
      expect(shown(record(5)), 'the office knows').not.toContain('王工');
      expect(shown(here(9), here(7))).toContain(when(9));
    }
    speak('en');
    expect(shown(here(5))).toContain('please show the office what was recorded');
    const other = { name: '李工', at: 1 };
    expect(piles([here(1), here(2), here(3, { author: other })]).map((pile) => pile.length)).toEqual([1, 2]);
    expect(piles([record(1), record(3, { author: other })])).toHaveLength(1);
  });

  it('can be marked as seen to, by a second tap behind what that means for this thing', () => {
    const shown = (more: Partial<SetAside>, asking: boolean) =>
      render(SetAsidePile, { props: { pile: [record(1, more)], asking, then } }).body;
    const told = (language: (typeof languages)[number]) => {
      speak(language);
      return (['at-office', 'here', 'lost', 'spoilt'] as const).map((kept) => {
        expect(shown({ kept }, false)).not.toContain('see-to-yes');
        expect(shown({ kept }, false)).toContain('data-testid="see-to"');
        const asked = shown({ kept }, true);
        expect(asked).toContain('see-to-yes');
        return asked.match(/see-to-ask.*?<\/strong>.*?<p[^>]*>(.*?)<\/p>/s)![1]!;
      });
    };
    for (const language of languages) expect(new Set(told(language)).size).toBe(4);
    const [atOffice, here, lost] = told('en');
    expect(atOffice).toContain('Nothing is deleted: it stays kept at the office');
    expect(here).toContain('The office has not got it.');
    expect(lost).toContain('This photo is lost');
    for (const kept of ['whole', 'unasked'] as const)
      for (const asking of [false, true]) expect(shown({ kept }, asking)).not.toContain('see-to');
  });

  it('and was seen to says by whom and when, and can be taken back, once somebody wants to see it', () => {
    speak('en');
    const seen = { by: '巡检员', at: new Date(2023, 5, 30, 10, 42).getTime() };
    const shown = (open: boolean) =>
      render(SeenToList, { props: { things: [record(1, { seen }), photo('1.jpg')], open, then } }).body;
    expect(shown(false)).toContain('Seen to: 2');
    expect(shown(false)).not.toContain('巡检员');
    const body = shown(true);
    expect(body).toContain(`Seen to by 巡检员, ${moment(seen.at)}.`);
    expect(body).toContain('take-back');
    expect(body).toContain('漏水');
    expect(body.match(/add an amendment|Ask the office for/g), 'nobody is asked for anything').toBeNull();
  });
});

describe('a reason for setting aside', () => {
  // Where the office and the tablet name one: as a text, or as a case of the rules that both go by.
  const root = join(import.meta.dirname, '../../..');
  const rust = (path: string) => readFileSync(join(root, 'crates', path), 'utf8');
  const types = readFileSync(join(root, 'ui/kit/src/generated/domain.ts'), 'utf8');
  const named = (text: string, by: RegExp) => [...text.matchAll(by)].map(([, code]) => code!);
  const judged = ['findings', 'mod', 'steps', 'values'].map((name) => rust(`hub/src/judge/${name}.rs`)).join('');
  const taken = ['transaction', 'alone'].map((name) => rust(`hub/src/ingest/${name}.rs`)).join('');
  const ruled = (name: string) =>
    named(types.match(new RegExp(`export type ${name} =[^;]*;`))![0], /"code": "([^"]+)"/g);
  const recorded = [
    ...named(judged + taken, /(?:Refusal::new|refuse)\(\s*"([a-z-]+)"/g),
    ...ruled('Refusal'),
    ...ruled('NoStep'),
    // What else stands in the way of a signature keeps a person from signing, and is not asked again by the office.
    ...['no-name', 'no-strokes', 'not-asked'],
    ...named(rust('device/src/store/seen.rs'), /NOWHERE_ELSE: &str = "([a-z-]+)"/g),
    // These two are refused to the person, and never set aside.
  ].filter((code) => code !== 'interlocked' && code !== 'moved-on');
  const photos = [
    ...named(rust('device/src/sync/file.rs'), /=> "([a-z-]+)"/g),
    'hash-mismatch',
    'hub-fault',
    'too-large',
  ];

  it('is one of those that are known', () => {
    expect(recorded).toContain('sealed');
    expect(recorded).toContain('own-claim');
    expect(recorded).toContain('not-judged');
    expect(recorded).toContain('not-taken-back');
    expect(photos).toContain('file-missing');
  });

  it.each([...new Set([...recorded, ...photos])])('%s says what happened and what to do, in both languages', (code) => {
    for (const language of languages) {
      speak(language);
      expect(asideReason(code)).not.toContain(code);
      expect(asideReason(code)).not.toBe(asideReason('of-a-later-version'));
      expect(remedy(code)).toMatch(/\p{L}{2}.*[.。]$/u);
    }
  });

  it('of a later version is told by its code, and shown to the office', () => {
    speak('en');
    expect(asideReason('of-a-later-version')).toContain('of-a-later-version');
    expect(remedy('of-a-later-version')).toBe(remedy('malformed'));
  });
});

describe('a record that was set aside', () => {
  const words = (text: string) => ({ 'zh-CN': text, en: text });
  const shown = (field: string, value: unknown) => shownOf({ field, asked: null, value });

  it('is told by what was recorded, not by the marks of the log', () => {
    speak('en');
    expect(shown('severity', 'serious')).toEqual({ as: 'words', words: 'Serious' });
    expect(shown('words', '阀门漏水')).toEqual({ as: 'words', words: '阀门漏水' });
    expect(shown('status', 'verified')).toEqual({ as: 'words', words: 'Verified' });
    expect(shown('timeline', { step: 'verify', to: 'verified', words: 'Looks good' })).toEqual({
      as: 'words',
      words: 'Looks good',
    });
    expect(shown('photos', null)).toEqual({ as: 'taken' });
    for (const [field, value] of [
      ['check', 'id'],
      ['words', ''],
      ['timeline', { step: 'verify', words: '' }],
    ] as const)
      expect(shown(field, value)).toBeNull();
  });

  it('is shown with its place, its question and its value, and leads to where it can be recorded again', () => {
    speak('en');
    const asked = item('seal', { question: words('Seal intact?') });
    const value = { outcome: 'fail', note: 'broken off', at: 1 };
    const thing: SetAside = {
      id: { record: 'op' },
      kept: 'at-office',
      seen: null,
      photo: null,
      author: null,
      about: { entity: 'check', name: words('Riser'), path: [words('Building 3')] },
      content: [
        { field: 'answer:seal', asked, value },
        { field: 'photos', asked: null, value: { sha256: 'ab', name: 'IMG_7.jpg' } },
      ],
      spot: { screen: 'check', round: 'r', check: 'c', item: 'seal' },
      code: 'sealed',
      detail: '',
      at: 1,
    };
    const { body } = render(SetAsideList, { props: { things: [thing], then: () => Promise.resolve() } });
    for (const text of ['Riser', 'Building 3', 'Seal intact?', 'broken off', 'Fail', 'IMG_7.jpg', 'add an amendment'])
      expect(body).toContain(text);
    expect(body).toContain(`href="${to.check('r', 'c', 'seal')}"`);
  });
});

describe('what a person chooses', () => {
  const shown = (choices: Choices, surroundings: Surroundings) =>
    render(ChoicesCard, { props: { choices, surroundings, then: () => Promise.resolve() } }).body;
  const none: Choices = { wait_for_wifi: false, wait_for_battery: false };

  it('says beside the choice what is known of it, and what is not', () => {
    speak('en');
    const unknown = shown(none, { network: 'unknown', battery: 'unknown' });
    expect(unknown).toContain('While it cannot, nothing waits.');
    expect(unknown).not.toContain('battery');
    const known = shown({ ...none, wait_for_wifi: true }, { network: 'metered', battery: 'low' });
    expect(known).toContain('The network is metered just now.');
    expect(known).toContain('The battery is low just now.');
    expect(known.match(/checked/g)).toHaveLength(1);
  });

  it('stays in sight once it was chosen, also where nothing is known of it', () => {
    expect(shown({ ...none, wait_for_battery: true }, { network: 'unknown', battery: 'unknown' })).toContain(
      'choice-wait_for_battery',
    );
  });
});

describe('what is held back', () => {
  const held = { why: 'network', photos: 8, bytes: 24_000_000 } as const;

  it('is counted, and can be sent all the same; what goes all the same is not said to wait', () => {
    speak('en');
    const waits = render(HeldBack, { props: { held: { ...held, released: false } } }).body;
    expect(waits).toContain('Waits for Wi‑Fi');
    expect(waits).toContain('8 photos and clips (24\u00a0MB)');
    expect(waits).toContain('Send now all the same');
    const goes = render(HeldBack, { props: { held: { ...held, released: true } } }).body;
    expect(goes).not.toContain('Waits');
    expect(goes).toContain('Let them wait again');
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
