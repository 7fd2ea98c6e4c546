import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

type Messages = { [key: string]: string | Messages | Variants[] };
type Variants = { match: Record<string, string> };

const root = join(import.meta.dirname, '../..');
const sources = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules')
  .map((entry) => entry.name)
  .filter((name) => readdirSync(join(root, name)).includes('messages'));

/** Each message's key with the texts that it can become. */
function flat(messages: Messages, prefix = ''): [string, string[]][] {
  return Object.entries(messages).flatMap(([key, value]) => {
    const path = prefix + key;
    if (typeof value === 'string') return [[path, [value]]];
    if (Array.isArray(value)) return [[path, value.flatMap(({ match }) => Object.values(match))]];
    return flat(value, `${path}.`);
  });
}

const read = (source: string, language: string) =>
  new Map(flat(JSON.parse(readFileSync(join(root, source, 'messages', `${language}.json`), 'utf8'))));

const placeholders = (texts: string[]) => [...new Set(texts.join(' ').match(/\{\w+\}/g))].sort();

it('finds the messages', () => {
  expect(sources).toContain('kit');
});

describe.each(sources)('the messages of %s', (source: string) => {
  const zh = read(source, 'zh-CN');
  const en = read(source, 'en');

  it('have the same keys in both languages', () => {
    expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it('have the same placeholders in both languages', () => {
    for (const [key, texts] of en) expect([key, placeholders(zh.get(key) ?? [])]).toEqual([key, placeholders(texts)]);
  });

  it('are set as each language is set', () => {
    const text = (messages: typeof zh) => [...messages.values()].flat();
    expect(text(zh).filter((said) => /\p{Script=Han}[,:;!?(]/u.test(said))).toEqual([]);
    expect([...text(zh), ...text(en)].filter((said) => /[!！]/.test(said))).toEqual([]);
    const own = ['中文'];
    expect(text(en).filter((said) => /\p{Script=Han}/u.test(said) && !own.includes(said))).toEqual([]);
  });
});
