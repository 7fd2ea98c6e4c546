import { follow, problem, speak, type IssueView, type Step, type StepRequest } from '@standpipe/kit';
import { render } from 'svelte/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn() }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { Live } = await import('../src/live.svelte');
const { StepWork } = await import('../src/issue/step.svelte');
const { keep, kept } = await import('../src/kept');
const engine = await import('../src/engine');
const { default: IssueCard } = await import('../src/issue/IssueCard.svelte');
const { default: Recheck } = await import('../src/issue/Recheck.svelte');

follow(overwriteGetLocale);

const standing = (next_steps: Step[], ...revs: string[]) =>
  ({
    id: 'i',
    next_steps,
    statuses: revs.map((rev) => ({ rev, status: 'claimed-done', by: rev })),
  }) as unknown as IssueView;

/** An engine that takes a step over what stands there, and over nothing else. */
let stands: IssueView;
let asked: StepRequest[];
const answer = (command: string, { request }: { request: StepRequest }) => {
  if (command === 'issue') return Promise.resolve(stands);
  if (command !== 'issue_step') return Promise.resolve(null);
  asked.push(request);
  const refusal = { code: 'moved-on', message: '', details: { by: '王工' } };
  if (request.seen.join() !== stands.statuses.map(({ rev }) => rev).join()) return Promise.reject(refusal);
  return Promise.resolve((stands = standing([], 'mine')));
};

let live: InstanceType<typeof Live<IssueView>>;
let work: InstanceType<typeof StepWork>;

beforeEach(() => {
  asked = [];
  invoke.mockReset().mockImplementation(answer);
  live = new Live('issue i', () => engine.issue('i'));
  live.take((stands = standing(['verify', 'reopen'], 'one')));
  work = new StepWork('i', live);
});

afterEach(async () => {
  speak('zh-CN');
  await keep('issue.i', '');
});

const seen = () => asked.map((request) => request.seen);
const typed = async () => {
  work.open('reopen', live.value!);
  work.words = '仍在漏水';
  await work.hold();
};

describe('a step whose form is open', () => {
  it('is taken over what was shown when it was opened, not over what came under it', async () => {
    await typed();
    live.take((stands = standing([], 'two')));
    await work.submit();
    expect(seen()).toEqual([['one']]);
    for (const language of ['zh-CN', 'en'] as const) {
      speak(language);
      expect(problem(work.refusal)).toContain('王工');
    }
  });

  it('keeps what was typed after somebody else was first, also where no step is left to take', async () => {
    await typed();
    stands = standing([], 'two');
    await work.submit();
    expect([work.chosen, work.words, kept('issue.i'), work.asking]).toEqual(['reopen', '仍在漏水', '仍在漏水', false]);
    expect(live.value, 'what they did is shown').toEqual(stands);
    const { body } = render(Recheck, { props: { view: live.value!, work } });
    for (const shown of ['reopen-words', '仍在漏水', 'data-code="moved-on"', '王工']) expect(body).toContain(shown);
  });

  it('can be taken once that was looked at, and then nothing typed is left', async () => {
    await typed();
    stands = standing(['verify', 'reopen'], 'two', 'beside');
    await work.submit();
    await work.submit();
    expect(seen()).toEqual([['one'], ['two', 'beside']]);
    await vi.waitFor(() => expect([work.chosen, work.words, kept('issue.i')]).toEqual([null, '', '']));
    expect([work.refusal, live.value]).toEqual([null, standing([], 'mine')]);
  });
});

describe('an issue', () => {
  it('says where several statuses stand, and whose they are', () => {
    const shown = (...revs: string[]) => {
      const line = { status: 'claimed-done', severity: 'minor', before: [], after: [], timeline: [] };
      const view = { ...standing([], ...revs), ...line };
      return render(IssueCard, { props: { view: view as unknown as IssueView, work } }).body;
    };
    expect(shown('王工', '李工')).toContain('申报已完成（王工）和申报已完成（李工）');
    expect(shown('王工')).not.toContain('王工');
  });
});

describe('a step without a form', () => {
  it('is taken over what is shown when it is tapped', async () => {
    const shown = live.value!;
    live.take((stands = standing(['verify'], 'two')));
    await work.take('verify', shown);
    expect(work.refusal).toMatchObject({ code: 'moved-on' });
    await work.take('verify', live.value!);
    expect(seen()).toEqual([['one'], ['two']]);
    expect(work.refusal).toBeNull();
  });
});
