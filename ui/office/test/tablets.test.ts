import type { Role, Tablet } from '@standpipe/kit';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inUseFirst } from '../src/tablets/order';
import { mayRecord, RECORDERS } from '../src/tablets/person';
import { isLoopback } from '../src/tablets/reach';

describe('who may record', () => {
  it('is what the domain’s table says', () => {
    const rust = readFileSync(join(import.meta.dirname, '../../../crates/domain/src/permission.rs'), 'utf8');
    const table = rust.slice(rust.indexOf('pub const fn role_may'), rust.indexOf('/// Whether somebody who has'));
    const rows = [...table.matchAll(/Role::(\w+) => matches!\(act, ([\w |]+)\)/g)];
    expect(rows).toHaveLength(6);
    const kebab = (name: string) => name.replace(/\B[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
    const may = rows.filter(([, , acts]) => acts!.split(' | ').includes('Record')).map(([, role]) => kebab(role!));
    expect([...RECORDERS]).toEqual(may);
  });

  it('is whoever has one of those roles, beside others or not', () => {
    const may = (...roles: Role[]) => mayRecord({ roles });
    expect([may('inspector'), may('reader', 'inspector')]).toEqual([true, true]);
    expect([may(), may('administrator'), may('owner-representative', 'reader')]).toEqual([false, false, false]);
  });
});

describe('an address that only this computer reaches', () => {
  it.each(['localhost', 'LOCALHOST', 'hub.localhost', 'localhost.', '127.0.0.1', '127.8.0.2', '[::1]'])(
    'is %s',
    (host) => expect(isLoopback(host)).toBe(true),
  );
  it.each(['192.168.1.20', 'hub.example', '127.example', 'mylocalhost', '10.127.0.1', '[fe80::1]'])(
    'is not %s',
    (host) => expect(isLoopback(host)).toBe(false),
  );
});

describe('the list of tablets', () => {
  it('ends with those that were withdrawn, and keeps the order otherwise', () => {
    const tablet = (id: string, revoked: boolean) => ({ id, revoked }) as Tablet;
    const sorted = inUseFirst([tablet('1', true), tablet('2', false), tablet('3', true), tablet('4', false)]);
    expect(sorted.map(({ id }) => id)).toEqual(['2', '4', '1', '3']);
  });
});
