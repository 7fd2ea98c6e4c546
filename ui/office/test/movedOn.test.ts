import { problem, severalStatuses, speak, type IssueView, type StepRequest } from '@standpipe/kit';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { draftOf, forget, take } from '../src/issues/drafts.svelte';

const standing = (...revs: string[]) =>
  ({ id: 'i', statuses: revs.map((rev) => ({ rev, status: 'proposed', by: rev })) }) as unknown as IssueView;
const json = (body: unknown, status = 200) => Promise.resolve(new Response(JSON.stringify(body), { status }));

/** A hub that takes a step over what stands there, and over nothing else. */
let stands: IssueView;
let asked: StepRequest[];
const hub = (path: string, { body }: RequestInit) => {
  if (!path.endsWith('/steps')) return json(stands);
  const request = JSON.parse(body as string) as StepRequest;
  asked.push(request);
  if (request.seen.join() === stands.statuses.map(({ rev }) => rev).join()) return json(standing('mine'));
  return json({ code: 'moved-on', message: '', details: { by: '王工' } }, 409);
};

beforeEach(() => {
  asked = [];
  stands = standing('one');
  vi.stubGlobal('fetch', hub);
});

afterEach(() => {
  forget('i', 'propose');
  vi.unstubAllGlobals();
});

describe('a form over which somebody else moved the issue on', () => {
  const look = vi.fn();
  const begun = () => {
    const draft = draftOf(stands, 'propose');
    Object.assign(draft, { words: '换阀', date: '2023-07-15' });
    return draft;
  };

  it('is refused with what was seen when it was opened, and keeps what was typed', async () => {
    const draft = begun();
    stands = standing('two');
    // The page went on to what stands now, under the open form.
    expect(draftOf(stands, 'propose')).toBe(draft);
    const refusal: unknown = await take('i', 'propose', draft, look).catch((thrown: unknown) => thrown);
    for (const language of ['zh-CN', 'en'] as const) {
      speak(language);
      expect(problem(refusal)).toContain('王工');
    }
    speak('zh-CN');
    expect(asked.map(({ seen }) => seen)).toEqual([['one']]);
    expect(draftOf(stands, 'propose')).toMatchObject({ words: '换阀', date: '2023-07-15' });
    expect(look, 'what they did is shown').toHaveBeenLastCalledWith(stands);
  });

  it('can be sent once that was looked at', async () => {
    const draft = begun();
    stands = standing('two', 'beside');
    await expect(take('i', 'propose', draft, look)).rejects.toMatchObject({ code: 'moved-on', status: 409 });
    await expect(take('i', 'propose', draft, look)).resolves.toEqual(standing('mine'));
    expect(asked.map(({ seen, words }) => [seen, words])).toEqual([
      [['one'], '换阀'],
      [['two', 'beside'], '换阀'],
    ]);
  });

  it('is refused again while nobody could look', async () => {
    const draft = begun();
    stands = standing('two');
    vi.stubGlobal('fetch', (path: string, init: RequestInit) =>
      path.endsWith('/steps') ? hub(path, init) : Promise.reject(new TypeError('offline')),
    );
    for (let tries = 0; tries < 2; tries += 1)
      await expect(take('i', 'propose', draft, look)).rejects.toMatchObject({ code: 'moved-on' });
    expect(asked.map(({ seen }) => seen)).toEqual([['one'], ['one']]);
  });
});

describe('an issue that several moved on at once', () => {
  it('says who said what; another says nothing', () => {
    speak('en');
    expect(severalStatuses(standing('王工', '李工'))).toContain('Proposed (王工) and Proposed (李工)');
    expect(severalStatuses(standing('王工'))).toBe('');
    speak('zh-CN');
    expect(severalStatuses(standing('王工', '李工'))).toContain('已提方案（王工）和已提方案（李工）');
  });
});
