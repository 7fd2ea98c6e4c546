import { follow, languages, speak } from '@standpipe/kit';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { m } from '../src/paraglide/messages.js';
import { overwriteGetLocale } from '../src/paraglide/runtime.js';
import { meaning } from '../src/quarantine/record';

follow(overwriteGetLocale);
afterEach(() => speak('zh-CN'));

describe('what a withdrawn tablet sent', () => {
  const tablet = (language: string) =>
    JSON.parse(readFileSync(join(import.meta.dirname, `../../tablet/messages/${language}.json`), 'utf8'));

  it.each(languages)(
    'comes back by a new code, and the way to it is named as both screens name it (%s)',
    (language) => {
      speak(language);
      const { title, joinAgain } = tablet(language).sync;
      for (const named of [m['nav.tablets'](), title, joinAgain]) expect(meaning('revoked')).toContain(named);
    },
  );
});
