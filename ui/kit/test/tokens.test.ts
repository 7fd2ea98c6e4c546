import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const css = readFileSync(new URL('../src/tokens.css', import.meta.url), 'utf8');

/** The declarations of the first rule after `start`. */
function declarations(start: string): Record<string, string> {
  const at = css.indexOf(start);
  if (at < 0) throw new Error(`tokens.css has no ${start}`);
  const body = css.slice(css.indexOf('{', css.indexOf(':root', at)) + 1);
  const found = body.slice(0, body.indexOf('}')).matchAll(/--([\w-]+):\s*(#[0-9a-f]{6})\s*;/g);
  return Object.fromEntries([...found].map(([, name, value]) => [name, value]));
}

const light = declarations(':root {');
const themes = {
  light,
  dark: { ...light, ...declarations('@media (prefers-color-scheme: dark)') },
  contrast: { ...light, ...declarations('@media (prefers-contrast: more) {') },
  'dark contrast': { ...light, ...declarations('@media (prefers-contrast: more) and (prefers-color-scheme: dark)') },
};

/** Relative luminance and contrast as WCAG 2.2 defines them. */
function luminance(hex: string): number {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const channel = parseInt(hex.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [dark, bright] = [luminance(one), luminance(other)].sort((a, b) => a - b) as [number, number];
  return (bright + 0.05) / (dark + 0.05);
}

const pairs = Object.keys(light)
  .filter((name) => name.endsWith('-text'))
  .map((name) => [name, name.replace('-text', '-ground')] as const);
const onPage = ['text', 'quiet', 'action'].flatMap((text) => [[text, 'ground'] as const, [text, 'surface'] as const]);

it('knows black from white', () => {
  expect(contrast('#000000', '#ffffff')).toBeCloseTo(21, 5);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

describe.each(Object.entries(themes))('the %s theme', (_, theme) => {
  it.each([...pairs, ...onPage, ['text', 'sunken'] as const, ['quiet', 'sunken'] as const])(
    'sets %s readably on %s',
    (text, ground) => {
      expect(theme[ground]).toBeDefined();
      expect(contrast(theme[text]!, theme[ground]!)).toBeGreaterThanOrEqual(4.5);
    },
  );

  it('draws the edges of controls so that they are seen', () => {
    for (const ground of ['ground', 'surface']) {
      expect(contrast(theme['edge']!, theme[ground]!)).toBeGreaterThanOrEqual(3);
    }
  });
});

it('names every colour in the dark that it names in the light', () => {
  const own = ['screen'];
  const dark = declarations('@media (prefers-color-scheme: dark)');
  expect(Object.keys(light).filter((name) => !(name in dark) && !own.includes(name))).toEqual([]);
});
