// Generated from crates/domain. Do not edit: run `make types`.
/* eslint-disable */

export type SiteId = string;

export type PlaceId = string;

export type AssetId = string;

export type RoundId = string;

export type CheckId = string;

export type FindingId = string;

export type SignOffId = string;

export type IssueId = string;

export type UnitId = string;

export type PersonId = string;

export type DeviceId = string;

export type Sha256 = string;

export type Millis = number;

export type Words = { "zh-CN": string, en: string, };

export type PlaceKind = "site" | "phase" | "building" | "floor" | "area";

export type Place = { id: PlaceId, kind: PlaceKind, parent: PlaceId | null, name: Words, 
/**
 * The floor's number within its building; 1 is the ground floor as counted in China.
 */
level: number | null, };

export type AssetKind = "indoor-hydrant" | "outdoor-hydrant" | "hose-reel" | "extinguisher" | "reservoir" | "roof-tank" | "pump" | "standpipe" | "control-room" | "cctv-room" | "domestic-pump-room" | "pipe-works";

export type Asset = { id: AssetId, kind: AssetKind, place: PlaceId, name: Words, 
/**
 * What is written on it, for finding it again: unique within the site by custom, not by force.
 */
tag: string, 
/**
 * Facts that do not change from round to round: an agent, a capacity, the materials of a pipe upgrade.
 */
facts: { [key in string]: string }, };

export type AssetLine = { id: AssetId, kind: AssetKind, name: Words, tag: string, 
/**
 * From the phase down to the place it stands in; the site itself is left out.
 */
path: Array<Words>, };

export type Unit = "MPa" | "m" | "%" | "L/s" | "°C" | "s" | "min" | "h" | "kg" | "persons";

export type Limit = { min: number | null, max: number | null, };

export type Judgement = "within" | "too-low" | "too-high" | "unjudged";

export type ChecklistRef = { id: string, version: number, };

export type Checklist = { id: string, version: number, asset_kind: AssetKind, name: Words, items: Array<Item>, };

export type Item = { 
/**
 * Unique within the checklist, kept across its versions.
 */
id: string, question: Words, 
/**
 * A few more words on how to look, or why it matters.
 */
help: Words | null, answer: AnswerKind, 
/**
 * The item asks for water to be drawn: every interlock of the checklist must have passed before.
 */
draws_water: boolean, 
/**
 * The item must have passed before water is drawn.
 */
interlock: boolean, source: Source, };

export type AnswerKind = { "type": "pass-fail" } | { "type": "reading", unit: Unit, limit: Limit, } | { "type": "choice", options: Array<Choice>, } | { "type": "text" };

export type Choice = { id: string, name: Words, };

export type Source = { 
/**
 * For example `GB 50974-2014`.
 */
code: string, clause: string | null, standing: Standing, 
/**
 * The first day on which the rule holds.
 */
from: string | null, 
/**
 * The last day on which the rule holds.
 */
until: string | null, };

export type Standing = "secondary" | "unconfirmed" | "practice";

export type Outcome = "fail" | "not-applicable" | "pass";

export type Reading = { value: number, unit: Unit, };

export type Answer = { outcome: Outcome, reading?: Reading | null, 
/**
 * The chosen option's id.
 */
choice?: string | null, 
/**
 * A note, or the answer itself where the item asks for text.
 */
note?: string, 
/**
 * When this answer was given (not when the form was opened), by the tablet's clock.
 */
at: Millis, };

export type Refusal = { "code": "unknown-item", item: string, } | { "code": "wrong-kind" } | { "code": "not-a-number" } | { "code": "outside-limit" } | { "code": "interlocked", items: Array<string>, } | { "code": "too-long", limit: number, };

export type Evidence = { sha256: Sha256, 
/**
 * For example `image/jpeg`, found by looking at the bytes, not at the name.
 */
media_type: string, bytes: number, 
/**
 * The file's name as it came in; shown, never used as a path.
 */
name: string, 
/**
 * The item of the checklist that it belongs to, where it belongs to one.
 */
item?: string | null, at: Millis, };

export type Whereabouts = { "state": "safe-here" } | { "state": "sending", percent: number, } | { "state": "safe-at-office" } | { "state": "needs-attention", code: string, } | { "state": "lost" } | { "state": "elsewhere", 
/**
 * Whether the office has the original, as it said when it was asked last; absent until it was.
 */
at_office?: boolean, 
/**
 * Who took it, where that is known: on their tablet it is, until the office has it.
 */
by?: string, };

export type Preview = { "state": "pending" } | { "state": "ready" } | { "state": "none", code: string, } | { "state": "clip" };

export type EvidenceView = { preview: Preview, whereabouts: Whereabouts, sha256: Sha256, 
/**
 * For example `image/jpeg`, found by looking at the bytes, not at the name.
 */
media_type: string, bytes: number, 
/**
 * The file's name as it came in; shown, never used as a path.
 */
name: string, 
/**
 * The item of the checklist that it belongs to, where it belongs to one.
 */
item?: string | null, at: Millis, };

export type Severity = "minor" | "serious" | "critical";

export type KeptAgainstDelete = { 
/**
 * The name of who deleted it; of several, the last.
 */
by: string, 
/**
 * When they did, by their clock.
 */
at: Millis, 
/**
 * It was signed, and stays for good. Otherwise something that was recorded there was not deleted with it: nobody who
 * deleted it had seen it, or a record stands in it that is not gone.
 */
signed: boolean, };

export type FindingView = { id: FindingId, check: CheckId, item: string, 
/**
 * The item; absent when this version does not have the checklist.
 */
asked: Item | null, 
/**
 * What was answered.
 */
answer: Answer, severity: Severity, words: string, photos: Array<EvidenceView>, 
/**
 * What the office tracks it as, once it does.
 */
issue: IssueId | null, 
/**
 * What is still missing before it can be signed.
 */
lacks: Array<Lack>, 
/**
 * Set where somebody deleted it, and it was kept.
 */
kept: KeptAgainstDelete | null, };

export type Lack = "words" | "photo";

export type Act = "read" | "record" | "direct" | "answer" | "judge" | "verify" | "plan" | "administer";

export type UnitLevel = "street" | "community" | "property" | "supervisor" | "owners";

export type Role = "inspector" | "owner-representative" | "unit-staff" | "supervisor" | "administrator" | "reader";

export type Person = { id: PersonId, name: string, unit: UnitId, roles: Array<Role>, };

export type ResponsibleUnit = { id: UnitId, level: UnitLevel, name: Words, };

export type RoundKind = "routine" | "spot-check" | "commissioning" | "follow-up";

export type Round = { id: RoundId, kind: RoundKind, title: Words, due: string, reason: Words | null, 
/**
 * Units that walk along.
 */
present: Array<UnitId>, 
/**
 * Units whose representative must sign.
 */
sign_off_of: Array<UnitId>, };

export type Check = { id: CheckId, round: RoundId, asset: AssetId, checklist: ChecklistRef, 
/**
 * The place of the stop on the route, from 0.
 */
order: number, };

export type RoundState = "planned" | "overdue" | "under-way" | "to-sign" | "signed";

export type StopState = "open" | "under-way" | "passed" | "failed";

export type Point = [number, number, number];

export type SignOffView = { unit: UnitId, unit_name: Words, signed: Signature | null, 
/**
 * Amendments made since, which want another signature of this unit. None before its first.
 */
unsigned_amendments: number, };

export type Signature = { id: SignOffId, name: string, 
/**
 * What the representative objects to, in their own words.
 */
objection: string | null, strokes: Array<Array<Point>>, at: Millis, 
/**
 * Of the photos that the seal covers, how many the office does not hold yet; on a tablet, those of them that it has
 * itself to send.
 */
photos_on_their_way: number, 
/**
 * On a tablet: how many of the others the office has not said that it holds. It knows nothing of those that wait on
 * another tablet. None at the office, which knows of each.
 */
photos_unconfirmed: number, };

export type SealedPhotos = { 
/**
 * Those that this tablet has still to send to the office.
 */
on_their_way: number, 
/**
 * Of the others, those of which the office has not said that it holds them; what was set aside here among them.
 */
unconfirmed: number, };

export type NewSignOff = { round: RoundId, unit: UnitId, name: string, objection: string | null, strokes: Array<Array<Point>>, 
/**
 * The [digest](crate::tablet::RoundView::digest) of what was read.
 */
digest: string, };

export type NoSignOff = { "code": "unanswered", count: number, } | { "code": "incomplete", count: number, } | { "code": "in-conflict", count: number, } | { "code": "already-signed" } | { "code": "not-asked" } | { "code": "changed-meanwhile" } | { "code": "no-strokes" } | { "code": "no-name" };

export type Obstacles = { unanswered: number, incomplete: number, in_conflict: number, };

export type SealReport = { sign_off: SignOffId, unit: UnitId, 
/**
 * The signature over the sealed bytes holds, and is that of the tablet named in it, as far as that one is known.
 */
genuine: boolean, 
/**
 * The key of the tablet named in it is known from elsewhere than the seal itself. A restored office does not know a
 * tablet that had joined after its backup; that its own signature stands beside the tablet's is what it has then.
 */
known: boolean, 
/**
 * What the tablet shows today is what was sealed.
 */
unchanged: boolean, 
/**
 * When the hub added its own signature; absent until it has.
 */
countersigned: Millis | null, photos: number, };

export type Status = "open" | "assigned" | "proposed" | "objected" | "agreed" | "under-way" | "claimed-done" | "verified" | "closed" | "reopened";

export type Step = "assign" | "propose" | "object" | "agree" | "start" | "claim-done" | "verify" | "close" | "reopen";

export type StepRequest = { step: Step, 
/**
 * With `assign`: who is responsible.
 */
unit: UnitId | null, person: PersonId | null, 
/**
 * With `assign` the deadline, with `propose` the day by which the solution is done.
 */
date: string | null, 
/**
 * With `propose` the solution, with `object` and `reopen` the reason; elsewhere a note.
 */
words: string, 
/**
 * The statuses that its author saw: see [`IssueView::statuses`]. Over any other the step is not taken.
 */
seen: string[], };

export type NoStep = { "code": "not-from-here", from: Status, step: Step, } | { "code": "moved-on", by: string, } | { "code": "not-allowed" } | { "code": "own-claim" } | { "code": "assignment-incomplete" } | { "code": "no-date" } | { "code": "no-words" } | { "code": "no-photo" } | { "code": "too-long", limit: number, };

export type IssueLine = { id: IssueId, 
/**
 * For people: the site's code and a number, `ZJ-35`.
 */
number: string, 
/**
 * The question of the failed item, or what the office called it.
 */
title: Words, 
/**
 * What the inspector, or the office, says about it.
 */
words: string, 
/**
 * The finding that it was opened for: its title is then what failed.
 */
finding: FindingId | null, severity: Severity, status: Status, unit: Words | null, person: string | null, deadline: string | null, overdue: boolean, 
/**
 * The item that it was opened for does not fail any more: the inspector answered it otherwise, or amended it.
 */
withdrawn: boolean, 
/**
 * From the phase down to the place; empty where the issue has none.
 */
path: Array<Words>, asset: Words | null, changed: Millis, };

export type IssueView = { 
/**
 * Every status that stands, the one that the line says first: several where steps were taken out of each other's
 * sight. Screens show them all, and a step is taken over all of them.
 */
statuses: Array<StatusSide>, round: RoundId | null, unit_id: UnitId | null, person_id: PersonId | null, solution: Solution | null, 
/**
 * As it was found.
 */
before: Array<EvidenceView>, 
/**
 * As it was after the fix.
 */
after: Array<EvidenceView>, timeline: Array<TimelineEntry>, 
/**
 * The steps that the person who asks may take now.
 */
next_steps: Array<Step>, 
/**
 * Whether it is in the tracker that the office had before; `None` where there is none, or who asks is a tablet.
 */
outside: Outside | null, id: IssueId, 
/**
 * For people: the site's code and a number, `ZJ-35`.
 */
number: string, 
/**
 * The question of the failed item, or what the office called it.
 */
title: Words, 
/**
 * What the inspector, or the office, says about it.
 */
words: string, 
/**
 * The finding that it was opened for: its title is then what failed.
 */
finding: FindingId | null, severity: Severity, status: Status, unit: Words | null, person: string | null, deadline: string | null, overdue: boolean, 
/**
 * The item that it was opened for does not fail any more: the inspector answered it otherwise, or amended it.
 */
withdrawn: boolean, 
/**
 * From the phase down to the place; empty where the issue has none.
 */
path: Array<Words>, asset: Words | null, changed: Millis, };

export type StatusSide = { 
/**
 * The operation that wrote it.
 */
rev: string, status: Status, by: string, };

export type Outside = { "state": "waits" } | { "state": "sent" } | { "state": "filed", number: number, address: string, } | { "state": "gone", number: number, } | { "state": "refused", said: string, };

export type Solution = { words: string, date: string, };

export type TimelineEntry = { 
/**
 * `None` for the entry that opened the issue.
 */
step: Step | null, to: Status, by: string, at: Millis, unit: Words | null, person: string | null, date: string | null, words: string, };

export type Network = "unknown" | "metered" | "unmetered";

export type Battery = "unknown" | "low" | "enough";

export type Surroundings = { network: Network, battery: Battery, };

export type Choices = { 
/**
 * Originals wait while the network is metered.
 */
wait_for_wifi: boolean, 
/**
 * Originals wait while the battery is low.
 */
wait_for_battery: boolean, };

export type Hold = "network" | "battery";

export type Held = { why: Hold, 
/**
 * Photos and clips.
 */
photos: number, 
/**
 * Bytes of them that have not arrived at the office.
 */
bytes: number, 
/**
 * The person wants them sent all the same, this once: they go.
 */
released: boolean, };

export type SyncState = "not-enrolled" | "waiting" | "sending" | "checking" | "safe" | "safe-but" | "needs-attention";

export type SyncLine = { state: SyncState, 
/**
 * Records that the office has not acknowledged.
 */
records: number, 
/**
 * Photos and clips that are whole on this tablet, and that the office has not confirmed from its own disk.
 */
photos: number, 
/**
 * Bytes of those photos and clips that have not arrived.
 */
bytes: number, 
/**
 * Those whose file on this tablet is gone or is not what was recorded, that the office has not confirmed either, and that
 * nobody has seen to.
 */
lost: number, 
/**
 * Originals that wait, by the person's choice, though the office could be reached; absent while none does.
 */
held: Held | null, 
/**
 * What the tablet stands in.
 */
surroundings: Surroundings, 
/**
 * Records and photos that were set aside, by the office or by this tablet, and that nobody has seen to.
 */
set_aside: number, 
/**
 * When the office last confirmed that everything had arrived and nothing new was there to fetch.
 */
last_synced: Millis | null, 
/**
 * What stands in the way; absent while all is well.
 */
trouble: Trouble | null, };

export type Trouble = { "code": "no-answer" } | { "code": "not-a-hub" } | { "code": "bad-address" } | { "code": "revoked" } | { "code": "unknown-tablet" } | { "code": "hub-newer" } | { "code": "hub-older" } | { "code": "hub-full" } | { "code": "quarantine-full" } | { "code": "hub-busy" } | { "code": "hub-fault", detail: string, } | { "code": "tablet-fault", detail: string, };

export type SyncDetail = { line: SyncLine, 
/**
 * The hub's address; absent when the tablet is not enrolled.
 */
hub: string | null, 
/**
 * Records that the office has not acknowledged, by what they are about: what waits longest first, so many as fit
 * on a screen. The line counts them all.
 */
records: Array<WaitingRecords>, 
/**
 * Photos and clips that the office has not confirmed, so many as fit on a screen.
 */
photos: Array<EvidenceView>, 
/**
 * The photos and clips that the office confirmed last, the latest first.
 */
arrived: Array<EvidenceView>, 
/**
 * What was set aside and nobody has seen to, the latest first.
 */
set_aside: Array<SetAside>, 
/**
 * What was set aside and somebody has seen to, the latest first: kept, and in nobody's way.
 */
seen_to: Array<SetAside>, choices: Choices, 
/**
 * How far this tablet's clock runs ahead of the hub's, in milliseconds; absent until they have met.
 */
clock_ahead: number | null, };

export type SetAside = { id: AsideId, kept: Kept, 
/**
 * Who has seen to it; absent while nobody has.
 */
seen: Seen | null, 
/**
 * The photo's name; absent for a record.
 */
photo: string | null, 
/**
 * Who recorded it; absent for what is not here any more.
 */
author: Author | null, 
/**
 * What it is about; absent for what is not here any more.
 */
about: Subject | null, 
/**
 * What was recorded, field by field: the tablet keeps it, so that it can be recorded again.
 */
content: Array<Recorded>, 
/**
 * The screen on which it can be recorded again, where there is one.
 */
spot: Spot | null, 
/**
 * A stable code; the screen has a sentence for each.
 */
code: string, detail: string, at: Millis, };

export type AsideId = { "record": string } | { "photo": Sha256 };

export type Author = { 
/**
 * Their name; their id where nobody of it is known here.
 */
name: string, 
/**
 * When, by the clock of the tablet that it was recorded on.
 */
at: Millis, };

export type Kept = "at-office" | "here" | "lost" | "spoilt" | "unasked" | "whole";

export type Seen = { 
/**
 * Their name.
 */
by: string, at: Millis, };

export type Recorded = { field: string, 
/**
 * What the field asks, where it is the answer to an item.
 */
asked: Item | null, 
/**
 * As it was recorded; the screen knows the forms of an answer, of evidence, and of a step.
 */
value: unknown, };

export type Spot = { "screen": "check", round: RoundId, check: CheckId, item: string | null, } | { "screen": "sign", round: RoundId, } | { "screen": "issue", id: IssueId, };

export type Subject = { 
/**
 * The record's entity; the screen has a word for each.
 */
entity: string, 
/**
 * The asset of a check or a finding, the title of a round or of the round that was signed, the number of an issue.
 */
name: Words | null, 
/**
 * From the phase down to the place; empty where there is none.
 */
path: Array<Words>, };

export type WaitingRecords = { about: Subject, count: number, };

export type Today = { 
/**
 * Absent until the tablet is enrolled.
 */
site: Words | null, 
/**
 * The inspector's name; absent until the tablet is enrolled.
 */
person: string | null, date: string, rounds: Array<RoundLine>, 
/**
 * Issues whose fix is claimed and wants a second look.
 */
to_recheck: number, open_issues: number, sync: SyncLine, 
/**
 * Set once after a damaged database was replaced.
 */
rescue: Rescue | null, };

export type Rescue = { 
/**
 * Records that were read out of the damaged file and are in the fresh one.
 */
rescued: number, 
/**
 * Records that could not be read: the copy alone may hold them, and the office those that it had.
 */
unreadable: number, 
/**
 * Where the damaged file was set aside.
 */
copy: string, };

export type RoundLine = { id: RoundId, title: Words, kind: RoundKind, due: string, state: RoundState, stops: number, stops_done: number, items: number, answered: number, 
/**
 * Items whose shown answer is a fail. An amendment, which stands beside what was signed, does not change it.
 */
findings: number, to_sign: number, 
/**
 * Units whose signatures cover everything, amendments too.
 */
signed: number, };

export type RoundView = { round: Round, line: RoundLine, site: Words, 
/**
 * The names of the units that walk along.
 */
present: Array<Words>, stops: Array<Stop>, findings: Array<FindingView>, obstacles: Obstacles, sign_offs: Array<SignOffView>, 
/**
 * Of the photos that all these signatures cover.
 */
sealed_photos: SealedPhotos, 
/**
 * What was amended after it was signed, oldest first.
 */
amendments: Array<AmendedStop>, 
/**
 * Stands for everything that a signature would seal now. Whoever signs sends back the one that they read.
 */
digest: string, 
/**
 * Photos and clips, each once however often it is used.
 */
photos: number, 
/**
 * Set where somebody deleted the round, and it was kept.
 */
kept: KeptAgainstDelete | null, };

export type Stop = { check: CheckId, asset: AssetLine, state: StopState, items: number, answered: number, failed: number, photos: number, sealed: boolean, 
/**
 * Something that was signed of it was amended.
 */
amended: boolean, 
/**
 * Two records say different things of it, and somebody is to choose.
 */
in_conflict: boolean, 
/**
 * Set where somebody deleted it, and it was kept. Its findings say so themselves.
 */
kept: KeptAgainstDelete | null, };

export type CheckView = { id: CheckId, round: RoundId, stop: Stop, reference: ChecklistRef, 
/**
 * Absent when this version of the app does not have the checklist: the check is shown, not edited.
 */
checklist: Checklist | null, answers: { [key in string]: Answer }, 
/**
 * The operations that wrote what is shown, by the field: of several sides, only of the one that is shown. A finding's
 * field is named with its item behind it, as in a conflict.
 */
revs: Record<string, string[]>, 
/**
 * The answers of the last round before this one, for the same asset.
 */
last: { [key in string]: LastAnswer }, 
/**
 * Interlocks that must pass before water may be drawn.
 */
open_interlocks: Array<string>, findings: Array<FindingView>, 
/**
 * Photos and clips that belong to an item but to no finding.
 */
photos: Array<EvidenceView>, 
/**
 * Items on which two people's answers differ.
 */
conflicts: Array<FieldConflict>, 
/**
 * Set once the check is sealed: who signed, and when. It then takes amendments only.
 */
sealed: Sealed | null, amendments: Array<Amendment>, };

export type LastAnswer = { answer: Answer, on: string, };

export type FieldConflict = { field: string, 
/**
 * What all sides started from; absent where they started from different values, or from none, or where the operation
 * that wrote it is not known. The office's console, which shows the sides alone, is not told.
 */
base: ConflictSide | null, sides: Array<ConflictSide>, };

export type ConflictSide = { 
/**
 * The operation that wrote this side.
 */
rev: string, value: unknown, by: string, device: string, at: Millis, };

export type Sealed = { by: Array<string>, at: Millis, };

export type Amendment = { item: string, answer: Answer, reason: string, by: string, at: Millis, signed: boolean, };

export type AmendedStop = { check: CheckId, asset: Words, 
/**
 * What the item asks; absent when this version does not have its checklist.
 */
asked: Item | null, 
/**
 * What was signed; absent where nothing was answered.
 */
was: Answer | null, amendment: Amendment, };

export type AssetView = { asset: AssetLine, checks: Array<AssetCheck>, };

export type AssetCheck = { check: CheckId, round: RoundId, title: Words, due: string, state: StopState, };

export type NewAnswer = { check: CheckId, item: string, answer: Answer, 
/**
 * What its author saw in the field: see [`CheckView::revs`]. What stands besides stays beside it.
 */
seen: string[], };

export type NewAmendment = { check: CheckId, item: string, answer: Answer, reason: string, 
/**
 * Where an item that had not failed fails by now: how bad that is.
 */
severity: Severity | null, };

export type NewFinding = { check: CheckId, item: string, 
/**
 * `None` leaves it as it is; where nobody has said it yet, it becomes [`Severity::UNSAID`].
 */
severity: Severity | null, 
/**
 * `None` leaves them as they are.
 */
words: string | null, 
/**
 * What its author saw in both fields: see [`CheckView::revs`]. What stands besides stays beside it.
 */
seen: string[], };

export type AttachTo = { "to": "item", check: CheckId, item: string, } | { "to": "issue", issue: IssueId, };

export type NewFile = { name: string, bytes: number, to: AttachTo, };

export type Problem = { 
/**
 * A stable code; the screen has a sentence for each.
 */
code: string, 
/**
 * In English, for the log and for a screen without a sentence for the code.
 */
message: string, 
/**
 * What the sentence needs: a count, a name, the items that stand in the way.
 */
details: Record<string, unknown>, };

export type SiteLine = { 
/**
 * The name that the tablet gave to its folder; commands about the site take it.
 */
folder: string, 
/**
 * Absent where its data could not be opened, and before the tablet has joined anything.
 */
name: Words | null, 
/**
 * As whom the tablet records there.
 */
person: string | null, 
/**
 * The address of its hub.
 */
hub: string | null, 
/**
 * It is the one that the screens are about.
 */
shown: boolean, 
/**
 * Absent where its data could not be opened.
 */
sync: SyncLine | null, 
/**
 * Why its data could not be opened.
 */
problem: Problem | null, 
/**
 * Texts that were typed there and not recorded.
 */
drafts: number, 
/**
 * Set once the person has left it: what keeps it on the tablet.
 */
leaving: Keeps | null, };

export type Keeps = { "code": "unopened" } | { "code": "set-aside" } | { "code": "waits" } | { "code": "drafts" } | { "code": "damaged-copy", path: string, } | { "code": "asks" } | { "code": "withdrawn" } | { "code": "unknown" } | { "code": "backup" };

export type SignIn = { name: string, password: string, };

export type Who = { person: PersonId, name: string, unit: Words, roles: Array<Role>, acts: Array<Act>, site: Words, };

export type OfficeRound = { round: Round, line: RoundLine, present: Array<Words>, checks: Array<OfficeCheck>, findings: Array<FindingView>, sign_offs: Array<SignOffView>, seals: Array<SealReport>, 
/**
 * Set where somebody deleted the round, and it was kept.
 */
kept: KeptAgainstDelete | null, };

export type OfficeCheck = { id: CheckId, asset: AssetLine, state: StopState, checklist: Checklist | null, answers: { [key in string]: Answer }, photos: Array<EvidenceView>, sealed: boolean, 
/**
 * Changes after the check was sealed, oldest first.
 */
amendments: Array<Amendment>, 
/**
 * Fields on which two people's answers differ.
 */
conflicts: Array<FieldConflict>, 
/**
 * Set where somebody deleted it, and it was kept. Its findings say so themselves.
 */
kept: KeptAgainstDelete | null, };

export type Directory = { units: Array<ResponsibleUnit>, people: Array<Person>, };

export type Tablet = { id: DeviceId, name: string, person: PersonId, person_name: string, revoked: boolean, last_seen: Millis | null, 
/**
 * The app's version at the last handshake.
 */
version: string | null, };

export type EnrolmentCode = { code: string, expires: Millis, };

export type NewTablet = { name: string, person: PersonId, };

export type Quarantined = { op_id: string, device: DeviceId, device_name: string, 
/**
 * With the device, its place among what was set aside: of what could not be read nobody knows the operation.
 */
incarnation: number, dev_seq: number, 
/**
 * Of which entity it says that it is; empty where that is no name.
 */
entity: string, field: string | null, code: string, detail: string, at: Millis, 
/**
 * Who recorded it, as it says itself; absent where it could not be read.
 */
author: Author | null, 
/**
 * What it is about; absent where it could not be read.
 */
about: Subject | null, 
/**
 * What was recorded, field by field: the tablet that it came from may be lost.
 */
content: Array<Recorded>, 
/**
 * Whether more was recorded than is told here.
 */
cut: boolean, 
/**
 * Who has seen to it; absent while nobody has.
 */
seen: Seen | null, };

export type QuarantineList = { 
/**
 * How many operations there are that nobody has seen to.
 */
total: number, 
/**
 * How many there are that somebody has seen to.
 */
seen_to: number, 
/**
 * The newest of either, as was asked for, newest first: at most 1,000.
 */
listed: Array<Quarantined>, };

export type AsidePlace = { device: DeviceId, incarnation: number, dev_seq: number, };

export type SeeTo = { places: Array<AsidePlace>, seen: boolean, };

export type JudgedAgain = { 
/**
 * How many operations were taken over.
 */
taken: number, 
/**
 * What stays aside.
 */
left: QuarantineList, };

export type ApiProblem = { 
/**
 * A stable code; the page has a sentence for each.
 */
code: string, 
/**
 * In English, for the log and for a page without a sentence for the code.
 */
message: string, details: Record<string, unknown>, };

export type IssueFilter = { status: Status | null, unit: UnitId | null, 
/**
 * Text to find in title, place, words or number.
 */
q: string, };
