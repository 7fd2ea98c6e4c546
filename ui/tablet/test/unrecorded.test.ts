import { beforeEach, describe, expect, it, vi } from 'vitest';
import { item, stop, view } from './estate';

const saved = new Map<string, string>();
const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn(), Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

/** As the app begins: what was kept is read. */
async function begin() {
  vi.resetModules();
  await (await import('../src/kept')).readKept();
  const { CheckWork } = await import('../src/check/work.svelte');
  const work = new CheckWork('c');
  work.live.take(view([item('a'), item('b')], { round: 'r', stop: stop('c') }));
  return { work, ...(await import('../src/check/unrecorded.svelte')) };
}

beforeEach(() => {
  saved.clear();
  invoke.mockReset().mockImplementation(async (command: string, given?: { name: string; text: string }) => {
    if (command === 'drafts') return Object.fromEntries(saved);
    if (given?.text) saved.set(given.name, given.text);
    else if (given) saved.delete(given.name);
    return null;
  });
});

const sealed = { code: 'sealed', message: '', details: {} };
const notFailed = { code: 'not-failed', message: '', details: {} };

describe('a text that no record takes', () => {
  it('is there again after a restart, until its person deletes it', async () => {
    const first = await begin();
    await first.asideOf(first.work, item('a'))('漏水', sealed);
    await first.asideOf(first.work, item('a'))('滴水', notFailed);
    const { unrecorded, dismiss } = await begin();
    expect(unrecorded()).toMatchObject([
      { round: 'r', check: 'c', item: 'a', text: '漏水', problem: sealed },
      { item: 'a', text: '滴水', problem: notFailed },
    ]);
    await dismiss(unrecorded()[0]!.name);
    expect(unrecorded()).toMatchObject([{ text: '滴水' }]);
    expect((await begin()).unrecorded()).toMatchObject([{ text: '滴水' }]);
  });

  it('gives way to what was typed into the same field since, and goes once that is recorded', async () => {
    const { work, asideOf, unrecorded } = await begin();
    const aside = asideOf(work, item('a'));
    await aside('漏', sealed);
    await aside('漏水', sealed);
    expect(unrecorded()).toMatchObject([{ text: '漏水' }]);
    await aside('', null);
    expect([unrecorded(), saved.size]).toEqual([[], 0]);
  });

  it('says why, and where it was written, in both languages', async () => {
    const { work, asideOf, unrecorded } = await begin();
    await asideOf(work, item('a'))('漏水 <b>', sealed);
    // Everything of the same start, as the app has it.
    const { render } = await import('svelte/server');
    const { follow, languages, problem, speak } = await import('@standpipe/kit');
    follow((await import('../src/paraglide/runtime.js')).overwriteGetLocale);
    const { default: UnrecordedText } = await import('../src/check/UnrecordedText.svelte');
    for (const language of languages) {
      speak(language);
      const shown = (props: object) =>
        render(UnrecordedText, { props: { unrecorded: unrecorded()[0]!, ...props } }).body;
      const away = shown({});
      for (const part of [problem(sealed), '立管 › a', '漏水 &lt;b>', '#/round/r/check/c/item/a']) {
        expect(away).toContain(part);
      }
      expect(away).not.toContain('unrecorded-amend');
      const there = shown({ there: true, amend: () => undefined });
      expect(there).toContain('unrecorded-amend');
      expect(there).not.toContain('unrecorded-open');
    }
  });
});
