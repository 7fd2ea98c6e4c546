import { failed, names, shownOf, words, type AsidePlace, type Quarantined } from '@standpipe/kit';
import { m } from '../paraglide/messages.js';

/** What can be done about each reason, where it is something else than to record it again. */
const meanings = {
  sealed: 'sealed',
  'signed-otherwise': 'signed-otherwise',
  revoked: 'revoked',
  'not-allowed': 'not-allowed',
  'broken-seal': 'broken-seal',
  'no-name': 'broken-seal',
  'no-strokes': 'broken-seal',
  'not-asked': 'not-asked',
  'not-from-here': 'not-from-here',
  'own-claim': 'own-claim',
  malformed: 'malformed',
  'unknown-item': 'update',
  'not-judged': 'fault',
  'too-large': 'tell',
  'op-id-taken': 'tell',
  'foreign-device': 'tell',
  'foreign-actor': 'tell',
  'out-of-order': 'tell',
  'other-scope': 'tell',
  'other-entity': 'tell',
} as const;

const isOwn = (code: string): code is keyof typeof meanings => Object.hasOwn(meanings, code);

/** What it means that something was set aside, and what can be done. */
export const meaning = (code: string): string => m[`meaning.${isOwn(code) ? meanings[code] : 'again'}`]();

/** What the record is about: an asset or a title; its kind where the office does not know that. */
export const subjectOf = ({ about, entity }: Quarantined): string =>
  about?.name ? words(about.name) : names.entity(entity);

/** The item that a finding is about, as not met; empty for other records, whose fields tell it. */
export function findingOf({ entity, content }: Quarantined): string {
  const asked = content.find((recorded) => recorded.asked)?.asked;
  return entity === 'finding' && asked ? failed(asked.question) : '';
}

/** What was recorded, each with what it is. */
export function contentOf({ entity, content }: Quarantined) {
  return content.flatMap((recorded) => {
    const shown = shownOf(recorded);
    const asked = entity === 'finding' ? null : recorded.asked;
    return shown ? [{ shown, asked, name: asked ? words(asked.question) : names.field(recorded.field) }] : [];
  });
}

/** Where it was set aside. */
export const placeOf = ({ device, incarnation, dev_seq }: Quarantined): AsidePlace => ({
  device,
  incarnation,
  dev_seq,
});

/** Those of a list that came from the same tablet and were set aside for the same reason, itself among them. */
export const alike = (listed: Quarantined[], { device, code }: Quarantined): Quarantined[] =>
  listed.filter((other) => other.device === device && other.code === code);
