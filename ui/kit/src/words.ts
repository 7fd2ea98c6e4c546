import type { Words } from './generated/domain';
import { language } from './language.svelte';

/** A name in the language that is spoken now; in the other one where it is missing. */
export function words(name: Words): string {
  return name[language()] || name['zh-CN'] || name.en;
}
