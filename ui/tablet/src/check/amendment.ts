import { reading, type Answer, type Outcome, type Severity } from '@standpipe/kit';

/** An amendment as it is being written. */
export interface Form {
  outcome: Outcome;
  number: string;
  choice: string | null;
  text: string;
  reason: string;
  severity: Severity;
}

/** Under which name an amendment that is being written is kept. */
export const amendName = (check: string, item: string) => `amend.${check}.${item}`;

/**
 * The form with a text or a number that no record took: the text behind the words that were typed into it, in place of those
 * that were signed.
 */
export function formWith(
  taken: { text: string } | { number: string },
  answer: Answer | undefined,
  begun: Form | null,
): Form {
  const form = { ...formOf(answer), ...begun };
  if ('number' in taken) return { ...form, number: taken.number };
  const typed = begun?.text && begun.text !== formOf(answer).text ? `${begun.text}\n` : '';
  return { ...form, text: typed + taken.text };
}

/** The form before anything is changed in it: it says what the item is answered by now. */
export const formOf = (answer: Answer | undefined): Form => ({
  outcome: answer?.outcome ?? 'pass',
  number: answer?.reading?.value.toString() ?? '',
  choice: answer?.choice ?? null,
  text: answer?.note ?? '',
  reason: '',
  severity: 'serious',
});

/** Whether the form says nothing else than what the item is answered by now. */
export function saysTheSame(form: Form, answer: Answer | undefined): boolean {
  const now = formOf(answer);
  if (form.outcome !== now.outcome) return false;
  if (form.outcome === 'not-applicable') return true;
  return (
    reading(form.number) === reading(now.number) && form.choice === now.choice && form.text.trim() === now.text.trim()
  );
}

/**
 * Whether the item fails by the form and did not before: that is a finding, and somebody says how bad it is. One that was
 * signed as a fail has its finding, which does not change any more.
 */
export const isFound = (form: Form, answer: Answer | undefined, signed: Answer | undefined): boolean =>
  form.outcome === 'fail' && answer?.outcome !== 'fail' && signed?.outcome !== 'fail';
