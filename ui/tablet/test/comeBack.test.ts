import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

const invoke = vi.fn();
vi.mock('@tauri-apps/api/core', () => ({ invoke, convertFileSrc: vi.fn(), Channel: class {} }));
vi.mock('@tauri-apps/api/event', () => ({ listen: vi.fn() }));

const { followReturns } = await import('../src/comeBack');

let window: EventTarget;
let document: EventTarget & { visibilityState?: string };
let stop: () => void;

beforeEach(() => {
  window = new EventTarget();
  document = new EventTarget();
  vi.stubGlobal('window', window);
  vi.stubGlobal('document', document);
  invoke.mockReset().mockResolvedValue(null);
  stop = followReturns();
});

afterEach(() => {
  stop();
  vi.unstubAllGlobals();
});

const happens = (what: string, to: EventTarget) => to.dispatchEvent(new Event(what));

function turns(visibility: string): void {
  document.visibilityState = visibility;
  happens('visibilitychange', document);
}

describe('the office is asked at once', () => {
  it('when the network has come back, whether or not somebody looks', () => {
    document.visibilityState = 'hidden';
    happens('online', window);
    expect(invoke.mock.calls).toEqual([['come_back']]);
  });

  it('when somebody looks at the app again, and not when they look away', () => {
    turns('hidden');
    expect(invoke).not.toHaveBeenCalled();
    turns('visible');
    expect(invoke.mock.calls).toEqual([['come_back']]);
    happens('focus', window);
    expect(invoke).toHaveBeenCalledTimes(2);
  });

  it('for as long as the app is shown', () => {
    stop();
    happens('online', window);
    happens('focus', window);
    turns('visible');
    expect(invoke).not.toHaveBeenCalled();
  });
});
