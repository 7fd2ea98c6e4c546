import type {
  AssetKind,
  Evidence,
  FindingView,
  Held,
  IssueLine,
  Judgement,
  KeptAgainstDelete,
  Lack,
  Outcome,
  Role,
  RoundKind,
  RoundState,
  Severity,
  Source,
  Status,
  Step,
  StopState,
  Whereabouts,
  Words,
} from './generated/domain';
import { date, list, moment, sentences } from './format';
import { m } from './paraglide/messages.js';
import { reason } from './problem';
import { words } from './words';

// By names that come from the log, whatever wrote it.
const said = m as unknown as Record<string, (() => string) | undefined>;

export const names = {
  asset: (kind: AssetKind) => m[`asset.${kind}`](),
  round: (kind: RoundKind) => m[`round.${kind}`](),
  roundState: (state: RoundState) => m[`roundState.${state}`](),
  stop: (state: StopState) => m[`stop.${state}`](),
  outcome: (outcome: Outcome) => m[`outcome.${outcome}`](),
  severity: (severity: Severity) => m[`severity.${severity}`](),
  severityHelp: (severity: Severity) => m[`severityHelp.${severity}`](),
  status: (status: Status) => m[`status.${status}`](),
  step: (step: Step) => m[`step.${step}`](),
  role: (role: Role) => m[`role.${role}`](),
  judgement: (judgement: Judgement) => m[`judgement.${judgement}`](),
  /** The kind of a record; by its own name where this version has no word for it. */
  entity: (entity = '') => said[`entity.${entity || 'other'}`]?.() ?? entity,
  /** A record's field; an answer by what was asked, where that is known. */
  field(field: string, question: Words | null = null): string {
    const [name, item] = field.split(':', 2);
    if (name === 'answer' && item) return m['field.answer']({ item: question ? words(question) : item });
    return said[`field.${field}`]?.() ?? field;
  },
};

/** What an item asks, as the name of its having failed: "seal intact" alone would say the opposite. */
export const failed = (question: Words | null, item = ''): string =>
  m['failed']({ item: question ? words(question) : item });

/** An issue by its title. */
export const issueTitle = ({ finding, title }: Pick<IssueLine, 'finding' | 'title'>): string =>
  finding ? failed(title) : words(title);

/** Where the bytes of a photo are. `held` is what the tablet holds back. */
export function whereabouts(where: Whereabouts, held: Held | null = null): string {
  if (held && isToGo(where)) return m[`where.waits-${held.why}`]();
  switch (where.state) {
    case 'sending':
      return m['where.sending']({ percent: where.percent });
    case 'needs-attention':
      return m['where.needs-attention']({ reason: unsent(where.code) });
    case 'elsewhere':
      if (where.at_office) return m['where.elsewhereAtOffice']();
      if (where.at_office === undefined) return m['where.elsewhere']();
      return where.by ? m['where.elsewhereOf']({ name: where.by }) : m['where.elsewhereNotYet']();
    default:
      return m[`where.${where.state}`]();
  }
}

/** What keeps a photo from going up. That the office's server had a fault it is told elsewhere too, where nothing tries again. */
const unsent = (code: string): string => (code === 'hub-fault' ? m['where.hub-fault']() : reason(code));

/** Whether it is this tablet that is to send it. */
export const isToGo = ({ state }: Whereabouts): boolean => state === 'safe-here' || state === 'sending';

function elsewhere({ at_office, by }: Extract<Whereabouts, { state: 'elsewhere' }>): string {
  if (at_office) return m['picture.elsewhereAtOffice']();
  if (at_office === undefined) return m['picture.elsewhere']();
  return by ? m['picture.elsewhereOf']({ name: by }) : m['picture.elsewhereNotYet']();
}

/** Why there is a placeholder instead of a picture; `null` when there is a picture or a clip to show. */
export function noPicture({ preview, whereabouts: where }: { whereabouts: Whereabouts } & PreviewOf): string | null {
  if (preview.state === 'ready') return null;
  // Of what is not here nobody can say that it has no picture.
  if (where.state === 'elsewhere') return elsewhere(where);
  if (where.state === 'lost') return m['picture.lost']();
  if (preview.state === 'none') return m['picture.none']({ reason: reason(preview.code) });
  return preview.state === 'pending' ? m['picture.pending']() : null;
}

type PreviewOf = Pick<import('./generated/domain').EvidenceView, 'preview'>;

export function isClip({ media_type }: Pick<Evidence, 'media_type'>): boolean {
  return media_type.startsWith('video/');
}

/** What a finding still lacks; empty when it lacks nothing. */
export function lackSentence(lacks: Lack[]): string {
  return lacks.length === 0 ? '' : m['lack.still']({ things: list(lacks.map((lack) => m[`lack.${lack}`]())) });
}

/** Who deleted a record that is there all the same, and why it is. */
export function keptSentence(of: 'round' | 'check' | 'finding', { by, at, signed }: KeptAgainstDelete): string {
  const told = { what: names.entity(of), name: by, when: moment(at) };
  return signed ? m['kept.signed'](told) : m['kept.left'](told);
}

/** The stops that somebody deleted, or a finding of which, and that were kept. */
export function keptStops(
  stops: { check: string; kept: KeptAgainstDelete | null }[],
  findings: Pick<FindingView, 'check' | 'kept'>[],
): Set<string> {
  return new Set([...stops, ...findings].filter(({ kept }) => kept).map(({ check }) => check));
}

/** Where an item comes from and how far that can be relied on. */
export function sourceSentence({ code, clause, standing, from, until }: Source): string {
  const dates = [
    from && m['source.from']({ day: date(from) }),
    until && m['source.until']({ day: date(until) }),
    m[`standing.${standing}`](),
  ];
  if (standing === 'practice') return m['source.label']({ source: m['standing.practice']() });
  const source = [code, clause].filter(Boolean).join(' ');
  return sentences(m['source.label']({ source })) + ' · ' + dates.filter(Boolean).join(' · ');
}
