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

const messages = (source: string, language: string) =>
  new Map(flat(JSON.parse(readFileSync(join(root, source, 'messages', `${language}.json`), 'utf8'))));

const placeholders = (texts: string[]) => [...new Set(texts.join(' ').match(/\{\w+\}/g))].sort();

const within = (folder: string): string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter(({ name }) => /\.(ts|svelte|rs)$/.test(name))
    .map(({ parentPath, name }) => join(parentPath, name))
    .filter((path) => !/[\\/](paraglide|node_modules|target|tests)[\\/]/.test(path));
const read = (paths: string[]) => paths.map((path) => readFileSync(path, 'utf8')).join('\n');
const code = new Map(sources.map((source) => [source, read(within(join(root, source, 'src')))]));
const faces = [...code.values()].join('\n');

// What is said in quotes somewhere: the names of states and codes out of which the name of a message is put together.
const rust = ['crates', 'src-tauri'].flatMap((folder) => within(join(root, '..', folder)));
const parts = new Set([...`${faces}\n${read(rust)}`.matchAll(/["']([^"'\s]+)["']/g)].map(([, part]) => part));

/** The keys that a source names, and how it puts others together. */
function uses(source: string) {
  const own = code.get(source)!;
  const named = (of: string, name: string) =>
    [...of.matchAll(new RegExp(`\\b${name}(?:\\.(\\w+)\\(|\\[\\s*'([^']+)'\\s*\\])`, 'g'))].map(
      (hit) => hit[1] ?? hit[2],
    );
  // The kit hands its messages on under this name.
  const keys = new Set([...named(own, 'm'), ...(source === 'kit' ? named(faces, 'shared') : [])]);
  const patterns = [...own.matchAll(/\[\s*`([^`]+)`\s*\]/g)].map(
    ([, key]) => new RegExp(`^${key!.replace(/\./g, '\\.').replace(/\$\{[^}]*\}/g, '(.+)')}$`),
  );
  return (key: string) =>
    keys.has(key) ||
    patterns.some((pattern) =>
      pattern
        .exec(key)
        ?.slice(1)
        .every((part) => parts.has(part)),
    );
}

it('finds the messages', () => {
  expect(sources).toContain('kit');
});

describe.each(sources)('the messages of %s', (source: string) => {
  const zh = messages(source, 'zh-CN');
  const en = messages(source, 'en');

  it('have the same keys in both languages', () => {
    expect([...zh.keys()].sort()).toEqual([...en.keys()].sort());
  });

  it('have the same placeholders in both languages', () => {
    for (const [key, texts] of en) expect([key, placeholders(zh.get(key) ?? [])]).toEqual([key, placeholders(texts)]);
  });

  it('are all used', () => {
    const isUsed = uses(source);
    expect([...en.keys()].filter((key) => !isUsed(key))).toEqual([]);
  });

  it('have one word for one thing', () => {
    const said = (words: RegExp, but = /^$/) =>
      [...zh].filter(([key, texts]) => !but.test(key) && words.test(texts.join())).map(([key]) => key);
    // 停用: a tablet that was withdrawn. 接入: to join an office. 取回: to fetch a photo.
    expect(said(/撤销[^。；]*权限|加入/)).toEqual([]);
    expect(said(/取回/, /^photo\./)).toEqual([]);
    // 重新审核: to judge again what was set aside. 核验: to look whether a seal is genuine.
    expect(said(/重新判定|验证/)).toEqual([]);
  });

  it('are set as each language is set', () => {
    const text = (messages: typeof zh) => [...messages.values()].flat();
    expect(text(zh).filter((said) => /\p{Script=Han}[,:;!?(]/u.test(said))).toEqual([]);
    expect([...text(zh), ...text(en)].filter((said) => /[!！]/.test(said))).toEqual([]);
    const own = ['中文'];
    expect(text(en).filter((said) => /\p{Script=Han}/u.test(said) && !own.includes(said))).toEqual([]);
  });
});
