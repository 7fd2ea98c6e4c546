import type { IssueLine, Outcome, RoundState, Severity, StopState, SyncState, Whereabouts } from './generated/domain';

/** A state's shape and colour. A word always stands beside it. */
export type Mark =
  | 'pass'
  | 'fail'
  | 'na'
  | 'open'
  | 'due'
  | 'overdue'
  | 'progress'
  | 'here'
  | 'up'
  | 'attention'
  | 'sign'
  | 'sealed'
  | 'minor'
  | 'serious'
  | 'critical';

export const markOf = {
  outcome: (outcome: Outcome): Mark => outcomes[outcome],
  stop: (state: StopState): Mark => stops[state],
  round: (state: RoundState): Mark => rounds[state],
  severity: (severity: Severity): Mark => severity,
  issue: (issue: Pick<IssueLine, 'status'>): Mark => issues[issue.status],
  /** Where the bytes of a photo are. */
  whereabouts: ({ state }: Whereabouts): Mark => places[state],
  sync: (state: SyncState): Mark => lines[state],
};

const outcomes: Record<Outcome, Mark> = { pass: 'pass', fail: 'fail', 'not-applicable': 'na' };

const stops: Record<StopState, Mark> = { open: 'open', 'under-way': 'progress', passed: 'pass', failed: 'fail' };

const rounds: Record<RoundState, Mark> = {
  planned: 'due',
  overdue: 'overdue',
  'under-way': 'progress',
  'to-sign': 'sign',
  signed: 'sealed',
};

const issues: Record<IssueLine['status'], Mark> = {
  open: 'due',
  assigned: 'progress',
  proposed: 'progress',
  objected: 'attention',
  agreed: 'progress',
  'under-way': 'progress',
  'claimed-done': 'attention',
  verified: 'pass',
  closed: 'na',
  reopened: 'fail',
};

const places: Record<Whereabouts['state'], Mark> = {
  'safe-here': 'here',
  sending: 'up',
  'safe-at-office': 'pass',
  'needs-attention': 'attention',
  lost: 'na',
  elsewhere: 'open',
};

const lines: Record<SyncState, Mark> = {
  'not-enrolled': 'na',
  waiting: 'due',
  sending: 'up',
  checking: 'progress',
  safe: 'pass',
  'safe-but': 'na',
  'needs-attention': 'attention',
};

/** The pair of tokens that a mark is set in. */
export const toneOf: Record<Mark, 'pass' | 'fail' | 'na' | 'due' | 'progress' | 'attention'> = {
  pass: 'pass',
  fail: 'fail',
  na: 'na',
  open: 'na',
  due: 'due',
  overdue: 'due',
  progress: 'progress',
  here: 'progress',
  up: 'progress',
  attention: 'attention',
  sign: 'progress',
  sealed: 'na',
  minor: 'na',
  serious: 'due',
  critical: 'fail',
};
