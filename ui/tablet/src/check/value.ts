import { number, unit, words, type Answer, type Item } from '@standpipe/kit';

/** What was read, chosen or written, beside the outcome; empty where there is nothing but the outcome. */
export function valueOf(item: Item | undefined, { reading, choice, note }: Answer): string {
  if (reading) return `${number(reading.value)} ${unit(reading.unit)}`;
  if (choice) {
    const options = item?.answer.type === 'choice' ? item.answer.options : [];
    const chosen = options.find((option) => option.id === choice);
    return chosen ? words(chosen.name) : choice;
  }
  return item?.answer.type === 'text' ? (note ?? '') : '';
}
