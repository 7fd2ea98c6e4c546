import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { draft, Draft, everythingSaved, PATIENCE, RETRY, saveEverything, type Shown } from '../src/draft.svelte';

beforeEach(() => void vi.useFakeTimers());
afterEach(async () => {
  await vi.runAllTimersAsync();
  vi.useRealTimers();
});

/** Saves that are answered when the test says so. */
function slow() {
  const asked: { text: string; seen: string[]; answer: () => void; refuse: (why: unknown) => void }[] = [];
  const save = (text: string, { seen }: Shown) =>
    new Promise<void>((answer, refuse) => asked.push({ text, seen, answer: () => answer(), refuse }));
  return { asked, save };
}

describe('typed text', () => {
  it('is handed over within a second although typing goes on without a pause', async () => {
    const { asked, save } = slow();
    const text = new Draft('going on', '', save);
    for (let at = 0; at < 1000; at += 100) {
      text.type(`${at}`);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(PATIENCE).toBeLessThan(1000);
    expect(asked.length).toBeGreaterThan(0);
    asked.forEach(({ answer }) => answer());
    await vi.advanceTimersByTimeAsync(0);
    asked.forEach(({ answer }) => answer());
  });

  it('is called saved only once the engine has answered', async () => {
    const { asked, save } = slow();
    const text = new Draft('honest', '', save);
    text.type('锈');
    expect(text.state).toBe('typing');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(text.state).toBe('saving');
    asked[0]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(text.state).toBe('saved');
  });

  it('that was typed during a save is saved after it, and not called saved before', async () => {
    const { asked, save } = slow();
    const text = new Draft('during', '', save);
    text.type('one');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    text.type('one two');
    asked[0]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(text.state).not.toBe('saved');
    expect(asked.map((one) => one.text)).toEqual(['one', 'one two']);
    asked[1]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(text.state).toBe('saved');
  });

  it('that could not be saved says so, stays, and is offered again by itself', async () => {
    const { asked, save } = slow();
    const text = new Draft('refused', '', save);
    text.type('栓');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    asked[0]!.refuse({ code: 'tablet-fault' });
    await vi.advanceTimersByTimeAsync(0);
    expect([text.state, text.text, text.problem]).toEqual(['failed', '栓', { code: 'tablet-fault' }]);
    await vi.advanceTimersByTimeAsync(RETRY);
    expect(asked[1]!.text).toBe('栓');
    asked[1]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(text.state).toBe('saved');
  });

  it("that is refused for good is kept aside, not offered again, and stands in nobody's way", async () => {
    const { asked, save } = slow();
    const aside = vi.fn().mockRejectedValueOnce({ code: 'disk-full' });
    const text = draft('for good', '', save, { seen: [] }, aside);
    text.type('漏水');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    asked[0]!.refuse({ code: 'sealed' });
    await vi.advanceTimersByTimeAsync(0);
    expect(text.state, 'it could not even be kept').toBe('failed');
    await vi.advanceTimersByTimeAsync(RETRY);
    text.type('漏水，已关阀');
    asked[1]!.refuse({ code: 'sealed' });
    await vi.advanceTimersByTimeAsync(0);
    expect(asked[2]!.text, 'what was typed meanwhile is not left out').toBe('漏水，已关阀');
    asked[2]!.refuse({ code: 'sealed' });
    await vi.advanceTimersByTimeAsync(10 * RETRY);
    expect(aside.mock.calls.at(-1)).toEqual(['漏水，已关阀', { code: 'sealed' }]);
    expect([text.state, text.text, asked.length]).toEqual(['refused', '漏水，已关阀', 3]);
    expect(await everythingSaved()).toBe(true);

    // Once something else of it is taken, nothing of it needs to be kept aside.
    text.type('漏水，已修');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    asked[3]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect([text.state, aside.mock.calls.at(-1)]).toEqual(['saved', ['', null]]);
  });

  it('is saved at once when the app is put away, and found again by whoever comes back', async () => {
    const { asked, save } = slow();
    draft('put away', '', save).type('half');
    saveEverything();
    expect(asked.map((one) => one.text)).toEqual(['half']);
    expect(draft('put away', '', save).text).toBe('half');
    asked[0]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    expect(draft('put away', 'half', save).state).toBe('idle');
  });

  it('is not overwritten by what the engine holds while it is unsaved or being written', async () => {
    const { asked, save } = slow();
    const text = new Draft('mine', 'old', save);
    text.adopt('theirs');
    expect(text.text).toBe('theirs');
    text.type('mine');
    text.adopt('older');
    expect(text.text).toBe('mine');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    asked[0]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    text.held = true;
    text.adopt('theirs again');
    expect(text.text).toBe('mine');
    await text.release();
    expect(text.text).toBe('theirs again');
  });

  it('is saved over what stood there when it was begun, not over what came since', async () => {
    const { asked, save } = slow();
    const text = new Draft('begun over', 'old', save, { seen: ['op of old'] });
    const next = async (typed: string) => {
      text.type(typed);
      await vi.advanceTimersByTimeAsync(PATIENCE);
      return asked.at(-1)!;
    };
    text.held = true;
    text.adopt('theirs', { seen: ['op of theirs'] });
    const first = await next('old, mine');
    expect([first.text, first.seen]).toEqual(['old, mine', ['op of old']]);
    // The view that the save answers with may be shown before or after it.
    text.adopt('old, mine', { seen: ['op of mine'] });
    first.answer();
    await vi.advanceTimersByTimeAsync(0);
    const second = await next('old, mine, more');
    expect(second.seen).toEqual(['op of mine']);
    second.answer();
    await vi.advanceTimersByTimeAsync(0);
    text.adopt('old, mine, more', { seen: ['op of more'] });
    text.adopt('theirs', { seen: ['op of theirs'] });
    const third = await next('old, mine, most');
    expect(third.seen).toEqual(['op of more']);
    third.answer();
    await vi.advanceTimersByTimeAsync(0);
    // Once nobody writes there, it is theirs that is shown, and written over.
    await text.release();
    const fourth = await next('theirs, and mine');
    expect(fourth.seen).toEqual(['op of theirs']);
    fourth.answer();
  });

  it("is saved over what stood there when it was begun, also where a colleague's answer has the same text", async () => {
    const { asked, save } = slow();
    const text = new Draft('same text', 'old', save, { seen: ['op of old'] });
    text.type('old, mine');
    text.adopt('old', { seen: ['op of theirs'] });
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(asked[0]!.seen).toEqual(['op of old']);
    asked[0]!.answer();
    await vi.advanceTimersByTimeAsync(0);
    // Where nothing is being typed, it is the colleague's answer that the next is about.
    text.adopt('old, mine', { seen: ['op of mine'] });
    text.adopt('old, mine', { seen: ['op of theirs'] });
    text.type('old, mine, more');
    await vi.advanceTimersByTimeAsync(PATIENCE);
    expect(asked[1]!.seen).toEqual(['op of theirs']);
    asked[1]!.answer();
  });

  it('keeps what it was begun over for whoever comes back to it', async () => {
    const { asked, save } = slow();
    draft('left', 'old', save, { seen: ['op of old'] }).type('mine');
    expect(draft('left', 'theirs', save, { seen: ['op of theirs'] }).seen).toEqual(['op of old']);
    await vi.advanceTimersByTimeAsync(PATIENCE);
    asked[0]!.answer();
  });
});
