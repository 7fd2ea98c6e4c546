import { follow, languages, reason, speak, type SiteLine, type SyncLine } from '@standpipe/kit';
import { render } from 'svelte/server';
import { beforeEach, describe, expect, it, vi } from 'vitest';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: (path: string) => `/${path}`, Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { allSafeHere, beginAnew, needsSomebody, othersSentence, reloadSites, sites } =
  await import('../src/sites.svelte');
const { keep } = await import('../src/kept');
const { draft } = await import('../src/draft.svelte');
const { bring, dismiss, uploadsTo } = await import('../src/uploads.svelte');
const { default: SiteRow } = await import('../src/screens/SiteRow.svelte');

follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);

const sync = (more: Partial<SyncLine> = {}): SyncLine => ({
  state: 'safe',
  records: 0,
  photos: 0,
  bytes: 0,
  lost: 0,
  held: null,
  surroundings: { network: 'unknown', battery: 'unknown' },
  set_aside: 0,
  last_synced: 1,
  trouble: null,
  ...more,
});

const site = (folder: string, more: Partial<SiteLine> = {}): SiteLine => ({
  folder,
  name: { 'zh-CN': `小区${folder}`, en: `Estate ${folder}` },
  person: 'Inspector',
  hub: 'hub.example',
  shown: false,
  sync: sync(),
  problem: null,
  drafts: 0,
  leaving: null,
  ...more,
});

const here = site('1', { shown: true });

beforeEach(() => {
  invoke.mockReset();
  speak('en');
});

describe('the line about other sites', () => {
  it('is absent while nothing waits there, whatever waits here', () => {
    expect(othersSentence([{ ...here, sync: sync({ state: 'waiting', records: 3 }) }, site('2')])).toBe('');
    expect(
      othersSentence([here, site('2', { sync: sync({ state: 'waiting', trouble: { code: 'no-answer' } }) })]),
    ).toBe('');
  });

  it('counts what waits at all of them, also at one that was left', () => {
    const two = site('2', { sync: sync({ state: 'waiting', records: 3 }) });
    const three = site('3', { sync: sync({ state: 'sending', records: 1, photos: 2, bytes: 2e6 }) });
    const told = othersSentence([here, two, { ...three, leaving: { code: 'waits' } }]);
    expect(told).toContain('4 records');
    expect(told).toContain('2 photos');
  });

  it.each<[string, Partial<SiteLine>]>([
    ['something is set aside', { sync: sync({ state: 'needs-attention', set_aside: 1 }) }],
    ['it cannot be opened', { sync: null, problem: { code: 'database-newer', message: '', details: {} } }],
    ['it was left with texts', { leaving: { code: 'drafts' } }],
    ['a damaged copy lies there', { leaving: { code: 'damaged-copy', path: '/x' } }],
  ])('calls for somebody where %s', (_, more) => {
    expect(needsSomebody(site('2', more))).toBe(true);
    expect(othersSentence([here, site('2', more)])).toContain('needs attention');
  });
});

describe('another site', () => {
  it('is not shown before everything typed and taken here is safe', async () => {
    invoke.mockImplementation(async (command: string) => {
      if (command === 'keep_draft' || command === 'attach_begin') throw { code: 'disk-full' };
      return null;
    });
    await expect(allSafeHere()).resolves.toBeUndefined();

    await keep('note', '漏水').catch(() => undefined);
    await expect(allSafeHere()).rejects.toMatchObject({ code: 'not-safe-yet' });
    invoke.mockImplementation(async (command: string) => {
      if (command === 'attach_begin') throw { code: 'no-room' };
      return null;
    });
    await expect(allSafeHere()).resolves.toBeUndefined();
    expect(invoke).toHaveBeenCalledWith('keep_draft', { name: 'note', text: '漏水' });

    let saved = '';
    const text = draft('words', '', async (words) => void (saved = words));
    text.type('压力低');
    await expect(allSafeHere()).resolves.toBeUndefined();
    expect(saved).toBe('压力低');

    const to = { to: 'item', check: 'c', item: 'i' } as const;
    await bring([new File(['x'], 'a.jpg')], to, async () => undefined);
    await expect(allSafeHere()).rejects.toMatchObject({ code: 'not-safe-yet' });
    dismiss(uploadsTo(to)[0]!);
    await expect(allSafeHere()).resolves.toBeUndefined();
  });

  it('that is shown by now makes the app begin anew, and the same one does not', async () => {
    const anew = vi.spyOn(beginAnew, 'now').mockImplementation(() => undefined);
    const other = site('2');
    invoke.mockResolvedValue([here, other]);
    await reloadSites();
    await reloadSites();
    expect(sites()).toEqual([here, other]);
    expect(anew).not.toHaveBeenCalled();
    invoke.mockResolvedValue([
      { ...here, shown: false },
      { ...other, shown: true },
    ]);
    await reloadSites();
    expect(anew).toHaveBeenCalledTimes(1);
  });

  it('is asked for again where something changed while it was asked for', async () => {
    let answer: (list: SiteLine[]) => void = () => undefined;
    invoke.mockImplementationOnce(() => new Promise((resolve) => (answer = resolve)));
    invoke.mockResolvedValueOnce([site('9', { shown: true })]);
    vi.spyOn(beginAnew, 'now').mockImplementation(() => undefined);
    const asked = reloadSites();
    await reloadSites();
    answer([site('8', { shown: true })]);
    await asked;
    expect(sites()[0]!.folder).toBe('9');
  });
});

describe('a site in the list', () => {
  const row = (of: SiteLine, alone = false) =>
    render(SiteRow, { props: { site: of, alone, show: async () => undefined, leave: async () => undefined } }).body;

  it('can be shown or left', () => {
    const other = row(site('2', { sync: sync({ state: 'waiting', records: 3 }) }));
    expect(other).toContain('Estate 2');
    expect(other).toContain('3 records');
    expect(other).toContain('show-');
    expect(other).toContain('"leave-');
    expect(row(here)).not.toContain('show-');
  });

  it('that is shown is not told of twice', () => {
    expect([row(here), row(here, true)].filter((html) => html.includes('line-of-'))).toEqual([]);
    expect(row(site('2'))).toContain('line-of-');
    expect(row(here, true)).toContain('"leave-');
  });

  it('that was left says what keeps it, and can be taken back', () => {
    const left = (leaving: SiteLine['leaving'], more = {}) => row(site('2', { leaving, ...more }));
    expect(left({ code: 'waits' })).toContain('stay-');
    expect(left({ code: 'waits' })).not.toContain('"leave-');
    expect(left({ code: 'damaged-copy', path: '/data/x.damaged-1' })).toContain('/data/x.damaged-1');
    expect(left({ code: 'drafts' }, { drafts: 2 })).toContain('2 texts');
    expect(left({ code: 'drafts' }, { drafts: 2 })).toContain('"leave-');
    const all = ['unopened', 'set-aside', 'waits', 'asks', 'backup'] as const;
    const told = all.map((code) => left({ code }));
    expect(new Set(told.map((html) => html.match(/"keeps-2"[^>]*>([^<]*)/)?.[1]))).toHaveLength(all.length);
  });

  it('that goes, or is gone, is not said to be at the office whole: a photo may be lost, and texts were given up', () => {
    for (const language of languages) {
      speak(language);
      const told = [row(site('2', { leaving: { code: 'backup' } })), reason('unknown-site')];
      for (const said of told) expect(said).not.toMatch(/has everything[.;]|收到全部内容|全部到达/);
      expect(told[0]).toMatch(/everything that could be sent|能够上传的全部内容/);
    }
    speak('en');
  });

  it('that cannot be opened says why', () => {
    const problem = { code: 'database-newer', message: '', details: {} };
    const html = row(site('2', { name: null, hub: null, person: null, sync: null, problem }));
    expect(html).toContain('newer');
    expect(html).toContain('"leave-');
  });
});
