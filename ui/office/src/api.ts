import type {
  ApiProblem,
  Directory,
  EnrolmentCode,
  IssueFilter,
  IssueLine,
  IssueView,
  JudgedAgain,
  NewTablet,
  OfficeRound,
  QuarantineList,
  RoundLine,
  SeeTo,
  SignIn,
  StepRequest,
  Tablet,
  Who,
} from '@standpipe/kit';

const root = '/api/v1';
const part = encodeURIComponent;

/** What the hub answered instead of what was asked for. `code` is stable; the page has a sentence for each. */
export class Refused extends Error {
  override name = 'Refused';

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly details: Record<string, unknown>,
  ) {
    super(message);
  }
}

type Fetch = typeof fetch;

/** The hub's API over `fetch`. `signedOut` is called when an answer says that nobody is signed in any more. */
export function connect(fetch: Fetch, signedOut: () => void = () => {}) {
  async function ask<T>(method: string, path: string, body?: BodyInit, type?: string): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json' };
    // The hub takes a change only from a page that can set this header, which no foreign page can.
    if (method !== 'GET') headers['Standpipe-Client'] = 'console';
    if (type) headers['Content-Type'] = type;
    const answer = await fetch(root + path, { method, headers, body, credentials: 'same-origin' });
    if (!answer.ok) {
      if (answer.status === 401 && path !== '/session') signedOut();
      throw await refusal(answer);
    }
    const text = await answer.text();
    return (text ? JSON.parse(text) : undefined) as T;
  }
  const get = <T>(path: string) => ask<T>('GET', path);
  const post = <T>(path: string, body?: unknown) =>
    body === undefined ? ask<T>('POST', path) : ask<T>('POST', path, JSON.stringify(body), 'application/json');

  return {
    session: () => get<Who>('/session'),
    signIn: (who: SignIn) => post<Who>('/session', who),
    signOut: () => ask<void>('DELETE', '/session'),
    rounds: () => get<RoundLine[]>('/rounds'),
    round: (id: string) => get<OfficeRound>(`/rounds/${part(id)}`),
    issues: (filter: IssueFilter) => get<IssueLine[]>(`/issues${query(filter)}`),
    issue: (id: string) => get<IssueView>(`/issues/${part(id)}`),
    step: (id: string, request: StepRequest) => post<IssueView>(`/issues/${part(id)}/steps`, request),
    proof: (id: string, file: File) =>
      ask<IssueView>(
        'POST',
        `/issues/${part(id)}/proof?name=${part(file.name)}`,
        file,
        file.type || 'application/octet-stream',
      ),
    bringAgain: (id: string) => post<IssueView>(`/issues/${part(id)}/outside`),
    directory: () => get<Directory>('/directory'),
    tablets: () => get<Tablet[]>('/tablets'),
    newTablet: (tablet: NewTablet) => post<EnrolmentCode>('/tablets', tablet),
    revoke: (id: string) => post<Tablet>(`/tablets/${part(id)}/revoke`),
    quarantine: (seen = false) => get<QuarantineList>(seen ? '/quarantine/seen' : '/quarantine'),
    seeTo: (what: SeeTo) => post<void>('/quarantine/seen', what),
    judgeAgain: () => post<JudgedAgain>('/quarantine/again'),
  };
}

export const eventsUrl = `${root}/events`;

/** Where a photo or clip can be had. */
export const evidenceUrl = (sha256: string, size: 'thumb' | 'preview' | 'original') =>
  `${root}/evidence/${part(sha256)}/${size}`;

/** Where a seal can be downloaded, to be verified without us. */
export const sealUrl = (signOff: string) => `${root}/seals/${part(signOff)}`;

function query({ status, unit, q }: IssueFilter): string {
  const given = Object.entries({ status, unit, q: q.trim() }).filter((pair): pair is [string, string] => !!pair[1]);
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
}

// Something in between (a proxy, a hub that is starting) may answer with a page instead of a problem.
async function refusal(answer: Response): Promise<Refused> {
  const said = (await answer.json().catch(() => null)) as Partial<ApiProblem> | null;
  const code = typeof said?.code === 'string' ? said.code : answer.status === 401 ? 'signed-out' : 'fault';
  return new Refused(answer.status, code, said?.message ?? answer.statusText, said?.details ?? {});
}
