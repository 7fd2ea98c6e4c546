import { describe, expect, it, vi } from 'vitest';
import { asProblem, problem } from '@standpipe/kit';
import { connect, Refused } from '../src/api';

type Call = { url: string; init: RequestInit };

function hub(answer: () => Response) {
  const calls: Call[] = [];
  const signedOut = vi.fn();
  const fetched = (url: unknown, init: unknown) => {
    calls.push({ url: String(url), init: init as RequestInit });
    return Promise.resolve(answer());
  };
  return { api: connect(fetched as typeof fetch, signedOut), calls, signedOut };
}

const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status });
const header = (call: Call | undefined, name: string) => new Headers(call?.init.headers).get(name);

describe('a change', () => {
  it('says that it comes from the console, and reading does not need to', async () => {
    const { api, calls } = hub(() => json([]));
    await api.step('i/1', { step: 'verify', unit: null, person: null, date: null, words: '', seen: [] });
    await api.rounds();
    expect(calls.map(({ url }) => url)).toEqual(['/api/v1/issues/i%2F1/steps', '/api/v1/rounds']);
    expect(header(calls[0], 'Standpipe-Client')).toBe('console');
    expect(header(calls[0], 'Content-Type')).toBe('application/json');
    expect(header(calls[1], 'Standpipe-Client')).toBeNull();
    expect(calls.every(({ init }) => init.credentials === 'same-origin')).toBe(true);
  });

  it('takes an answer without a body', async () => {
    const { api } = hub(() => new Response(null, { status: 204 }));
    await expect(api.signOut()).resolves.toBeUndefined();
  });

  it('sends a photo as it is, under its name', async () => {
    const { api, calls } = hub(() => json({}));
    const file = new File(['x'], '整改 后.jpg', { type: 'image/jpeg' });
    await api.proof('7', file);
    expect(calls[0]?.url).toBe(`/api/v1/issues/7/proof?name=${encodeURIComponent('整改 后.jpg')}`);
    expect(calls[0]?.init.body).toBe(file);
    expect(header(calls[0], 'Content-Type')).toBe('image/jpeg');
  });
});

describe('the filter of issues', () => {
  it('carries only what is chosen', async () => {
    const { api, calls } = hub(() => json([]));
    await api.issues({ status: null, unit: null, q: ' ' });
    await api.issues({ status: 'under-way', unit: 'u1', q: '水 & 压' });
    expect(calls[0]?.url).toBe('/api/v1/issues');
    const query = new URL(calls[1]?.url ?? '', 'http://hub').searchParams;
    expect(Object.fromEntries(query)).toEqual({ status: 'under-way', unit: 'u1', q: '水 & 压' });
  });
});

describe('a refusal', () => {
  it('keeps its code and facts for the sentence', async () => {
    const { api } = hub(() => json({ code: 'not-from-here', message: 'moved', details: { from: 'closed' } }, 409));
    const error = await api.issue('1').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(Refused);
    expect(asProblem(error)).toMatchObject({ code: 'not-from-here', details: { from: 'closed' } });
  });

  it('that is a page of something in between is a fault', async () => {
    const { api } = hub(() => new Response('<h1>Bad gateway</h1>', { status: 502 }));
    await expect(api.rounds()).rejects.toMatchObject({ code: 'fault', status: 502 });
  });

  it('tells the page when nobody is signed in any more, but not when nobody was', async () => {
    const { api, signedOut } = hub(() => json({ code: 'signed-out', message: '', details: {} }, 401));
    await expect(api.session()).rejects.toMatchObject({ status: 401 });
    await expect(api.signIn({ name: 'a', password: 'b' })).rejects.toMatchObject({ status: 401 });
    expect(signedOut).not.toHaveBeenCalled();
    await expect(api.issues({ status: null, unit: null, q: '' })).rejects.toMatchObject({ code: 'signed-out' });
    expect(signedOut).toHaveBeenCalledOnce();
  });

  it('for want of room speaks of the office’s disk', async () => {
    const { api } = hub(() => json({ code: 'hub-full', message: '', details: {} }, 507));
    const error = await api.proof('1', new File([], 'a')).catch((thrown: unknown) => thrown);
    expect(problem(error)).toContain('办公室服务器的磁盘已满');
  });
});
