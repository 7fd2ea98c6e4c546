import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { listen, live } from '../src/live.svelte';
import { Shown } from '../src/shown.svelte';

class Source extends EventTarget {
  static all: Source[] = [];
  readyState = 1;
  closed = false;

  constructor(readonly url: string) {
    super();
    Source.all.push(this);
  }

  say(event: string): void {
    this.dispatchEvent(new Event(event));
  }

  close(): void {
    this.closed = true;
  }
}

const open = (url: string) => new Source(url) as unknown as EventSource;
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  Source.all = [];
  stop = listen(open);
});
afterEach(() => {
  stop();
  vi.useRealTimers();
});

describe('the line to the hub', () => {
  it('gathers many changes into one question', () => {
    const before = live.version;
    for (let at = 0; at < 5; at += 1) Source.all[0]?.say('changed');
    vi.advanceTimersByTime(1000);
    expect(live.version).toBe(before + 1);
    Source.all[0]?.say('changed');
    vi.advanceTimersByTime(1000);
    expect(live.version).toBe(before + 2);
  });

  it('owns up to being broken, and leaves the next try to the browser', () => {
    Source.all[0]!.readyState = 0;
    Source.all[0]?.say('error');
    expect(live.connected).toBe(false);
    vi.advanceTimersByTime(60_000);
    expect(Source.all).toHaveLength(1);
    Source.all[0]?.say('open');
    expect(live.connected).toBe(true);
  });

  it('tries again itself after a refusal, until it is left', () => {
    const before = live.version;
    Source.all[0]!.readyState = 2;
    Source.all[0]?.say('error');
    expect(live.version).toBe(before + 1);
    vi.advanceTimersByTime(60_000);
    expect(Source.all).toHaveLength(2);
    Source.all[1]!.readyState = 2;
    Source.all[1]?.say('error');
    stop();
    vi.advanceTimersByTime(60_000);
    expect(Source.all).toHaveLength(2);
    expect(Source.all[1]?.closed).toBe(true);
  });
});

describe('what is shown', () => {
  const later = () => {
    let done!: (value: string) => void;
    let fail!: (error: Error) => void;
    const answer = new Promise<string>((resolve, reject) => ([done, fail] = [resolve, reject]));
    return { answer, done, fail };
  };

  it('is never overtaken by the answer to an older question', async () => {
    const [old, young] = [later(), later()];
    const it = new Shown<string>();
    const asked = [it.ask(() => old.answer), it.ask(() => young.answer)];
    young.done('young');
    old.done('old');
    await Promise.all(asked);
    expect(it.value).toBe('young');
  });

  it('stays while the hub cannot be asked, beside the reason', async () => {
    const it = new Shown<string>();
    await it.ask(() => Promise.resolve('here'));
    await it.ask(() => Promise.reject(new TypeError('failed')));
    expect(it.value).toBe('here');
    expect(it.error).toBeInstanceOf(TypeError);
    await it.ask(() => Promise.resolve('again'));
    expect([it.value, it.error]).toEqual(['again', null]);
  });

  it('keeps what a change answered with, even when an older question comes back later', async () => {
    const old = later();
    const it = new Shown<string>();
    const asked = it.ask(() => old.answer);
    it.take('changed');
    old.done('old');
    await asked;
    expect(it.value).toBe('changed');
  });
});
