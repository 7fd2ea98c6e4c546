import { number, unit } from './format';
import type { Answer, Item } from './generated/domain';
import { names } from './names';
import { words } from './words';

/** What was read, chosen or written, beside the outcome; empty where there is nothing but the outcome. */
export function valueOf(item: Item | null | undefined, { reading, choice, note }: Answer): string {
  if (reading) return `${number(reading.value)} ${unit(reading.unit)}`;
  if (choice) {
    const options = item?.answer.type === 'choice' ? item.answer.options : [];
    const chosen = options.find((option) => option.id === choice);
    return chosen ? words(chosen.name) : choice;
  }
  return item?.answer.type === 'text' ? (note ?? '') : '';
}

/** An answer in one line. */
export function answerLine(item: Item | null | undefined, answer: Answer): string {
  const told = [names.outcome(answer.outcome), valueOf(item, answer), answer.note];
  return [...new Set(told.filter(Boolean))].join(' · ');
}
