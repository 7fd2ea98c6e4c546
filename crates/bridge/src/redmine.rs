//! The words of Redmine 5 and later: what is asked, and what an answer means.
//!
//! Its REST interface answers a list with what it likes where a filter is unknown to it, changes nothing with a status of
//! success where a step is forbidden, and shows what was created a moment later only. So each hit is looked at for its mark,
//! and what was closed is seen to be closed by the next sweep.

use crate::delivery::Heard;
use crate::twins::{Marked, Twin};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use standpipe_domain::ids::IssueId;
use standpipe_domain::issue::IssueLine;
use standpipe_domain::words::Words;
use std::str::FromStr;
use uuid::Uuid;

/// The most issues that Redmine gives at once.
const PAGE: u64 = 100;
/// The longest subject that Redmine takes, in characters.
const SUBJECT: usize = 255;
/// How much is kept of what it says, in characters.
const SAID: usize = 500;

/// Where in a Redmine the hub's issues go.
#[derive(Clone, Debug)]
pub struct Redmine {
    /// The project's identifier, as its address has it.
    pub project: String,
    /// The id of the field that carries the mark: a text that the project's issues have, and that is used as a filter.
    pub field: u32,
    /// The id of the status with which a twin is closed.
    pub closed: u32,
    pub language: Language,
}

/// The language of what is written there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    Chinese,
    English,
}

/// A language that the program does not speak.
#[derive(Debug, thiserror::Error)]
#[error("only zh-CN and en")]
pub struct Unspoken;

impl FromStr for Language {
    type Err = Unspoken;

    fn from_str(code: &str) -> Result<Self, Unspoken> {
        match code {
            "zh-CN" => Ok(Self::Chinese),
            "en" => Ok(Self::English),
            _ => Err(Unspoken),
        }
    }
}

impl Language {
    fn of(self, words: &Words) -> &str {
        match self {
            Self::Chinese => &words.zh,
            Self::English => &words.en,
        }
    }
}

/// A request: its method, its path below the tracker's address, and its body of JSON.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub method: &'static str,
    pub path: String,
    pub body: Option<Value>,
}

/// What stands there under a number that an issue had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The issue.
    Marked,
    /// Something without a readable mark: most likely the issue, and somebody wrote into the field or emptied it.
    Unmarked,
    /// Nothing, or another issue to which the number was given again: this one was deleted.
    Gone,
}

/// Why an answer tells nothing.
#[derive(Debug, thiserror::Error)]
pub enum Unclear {
    #[error("Redmine answers {0}")]
    Status(u16),
    #[error(
        "Redmine refuses the key, or what its owner may do there ({0}): see to its membership of the project"
    )]
    Denied(u16),
    #[error("Redmine has no such project, or its REST interface is off (404)")]
    Unknown,
    #[error(
        "Redmine does not heed field {0}: tick \"used as a filter\" there, and see that the project has it"
    )]
    NotFiltered(u32),
    #[error(
        "Redmine created #{0} without its mark: see that field {1} is one of the project's first tracker, and may be written. \
         Nothing else is created there until the hub is started again"
    )]
    Unmarked(u64, u32),
    #[error("Redmine's answer does not read: {0}")]
    Unreadable(#[from] serde_json::Error),
}

#[derive(Deserialize)]
struct Listed {
    issues: Vec<One>,
    total_count: u64,
}

#[derive(Deserialize)]
struct Made {
    issue: One,
}

#[derive(Default, Deserialize)]
struct Author {
    id: u64,
}

#[derive(Deserialize)]
struct One {
    id: u64,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    author: Author,
    #[serde(default)]
    custom_fields: Vec<Field>,
}

#[derive(Default, Deserialize)]
struct Status {
    id: u32,
    /// Redmine 5 and later say so of each status.
    #[serde(default)]
    is_closed: bool,
}

#[derive(Deserialize)]
struct Field {
    id: u32,
    #[serde(default)]
    value: Value,
}

#[derive(Deserialize)]
struct Errors {
    errors: Vec<String>,
}

impl Redmine {
    fn list(&self, mark: &str, offset: u64) -> Call {
        // In whichever project it is by now: it may have been moved.
        let field = self.field;
        let path = format!("/issues.json?cf_{field}={mark}&status_id=*&sort=id&limit={PAGE}&offset={offset}");
        Call { method: "GET", path, body: None }
    }

    /// Asks for what carries the mark of an issue, open or closed.
    #[must_use]
    pub fn look(&self, issue: IssueId) -> Call {
        self.list(&issue.to_string(), 0)
    }

    /// What a look found.
    ///
    /// # Errors
    /// [`Unclear`], which is no word on whether the issue is there.
    pub fn found(&self, issue: IssueId, status: u16, body: &[u8]) -> Result<Heard, Unclear> {
        let (marked, _) = self.marked(0, status, body)?;
        if marked.iter().any(|found| found.issue != issue) {
            return Err(Unclear::NotFiltered(self.field));
        }
        Ok(Heard::Found(marked.into_iter().map(|found| found.number).collect()))
    }

    /// Asks for what carries any mark, behind the first so many.
    #[must_use]
    pub fn page(&self, offset: u64) -> Call {
        self.list("*", offset)
    }

    /// What carries a mark of the hub, and where the next page begins; `None` where there is none.
    ///
    /// # Errors
    /// [`Unclear`].
    pub fn marked(
        &self,
        offset: u64,
        status: u16,
        body: &[u8],
    ) -> Result<(Vec<Marked>, Option<u64>), Unclear> {
        if status != 200 {
            return Err(said(status));
        }
        let listed: Listed = serde_json::from_slice(body)?;
        let next = offset + listed.issues.len() as u64;
        let next = (next > offset && next < listed.total_count).then_some(next);
        let mut marked = Vec::new();
        for one in &listed.issues {
            let text = self.text(one).ok_or(Unclear::NotFiltered(self.field))?;
            // Somebody else may have written into the field.
            let Ok(id) = text.parse() else { continue };
            let is_closed = one.status.is_closed || one.status.id == self.closed;
            let (number, author) = (one.id, one.author.id);
            marked.push(Marked { issue: IssueId(id), number, is_closed, author });
        }
        Ok((marked, next))
    }

    /// What an issue carries in the field of marks; `None` where that is empty, or the issue has no such field.
    fn text<'o>(&self, one: &'o One) -> Option<&'o str> {
        let field = one.custom_fields.iter().find(|field| field.id == self.field)?;
        field.value.as_str().filter(|text| !text.is_empty())
    }

    /// Creates an issue, with its mark.
    #[must_use]
    pub fn create(&self, issue: &IssueLine) -> Call {
        let subject = format!("{} {}", issue.number, self.language.of(&issue.title));
        let names = issue.path.iter().chain(&issue.asset).map(|words| self.language.of(words));
        let place = names.collect::<Vec<_>>().join(" › ");
        let description = [issue.words.trim(), &place].join("\n\n");
        let body = json!({ "issue": {
            "project_id": self.project,
            "subject": subject.chars().take(SUBJECT).collect::<String>(),
            "description": description,
            // Otherwise it begins today, and refuses what was due before.
            "start_date": null,
            "due_date": issue.deadline,
            "custom_fields": [{ "id": self.field, "value": issue.id.to_string() }],
        }});
        Call { method: "POST", path: "/issues.json".into(), body: Some(body) }
    }

    /// What came of a create, and whether the issue carries its mark; both count.
    ///
    /// # Errors
    /// [`Unclear`]: it may have been created all the same.
    pub fn created(&self, status: u16, body: &[u8]) -> Result<(Heard, Result<(), Unclear>), Unclear> {
        let heard = match status {
            201 => {
                let one = serde_json::from_slice::<Made>(body)?.issue;
                let mark = self.text(&one).map(drop).ok_or(Unclear::Unmarked(one.id, self.field));
                return Ok((Heard::Created(one.id), mark));
            }
            422 => {
                let errors = serde_json::from_slice::<Errors>(body)?.errors;
                // Without a word it is two at once, which Redmine does not explain.
                if errors.is_empty() { Heard::Unclear } else { Heard::Refused(short(&errors.join("; "))) }
            }
            401 | 403 | 404 => return Ok((Heard::Turned, Err(said(status)))),
            408 | 425 | 429 => return Err(said(status)),
            400..500 => Heard::Refused(format!("HTTP {status}")),
            500.. => Heard::Failed(format!("HTTP {status}")),
            status => return Err(said(status)),
        };
        Ok((heard, Ok(())))
    }

    /// Asks for what stands under a number.
    #[must_use]
    pub fn one(&self, number: u64) -> Call {
        Call { method: "GET", path: format!("/issues/{number}.json"), body: None }
    }

    /// What stands under the number that an issue had.
    ///
    /// # Errors
    /// [`Unclear`], which is no word on whether the issue is still there.
    pub fn stands(&self, issue: IssueId, status: u16, body: &[u8]) -> Result<Standing, Unclear> {
        match status {
            // In Redmine's own words. A page is of somebody in between, who knows no issues.
            404 if body.is_empty() || serde_json::from_slice::<IgnoredAny>(body).is_ok() => {
                Ok(Standing::Gone)
            }
            200 => {
                let one = serde_json::from_slice::<Made>(body)?.issue;
                Ok(match self.text(&one).map(str::parse::<Uuid>) {
                    Some(Ok(mark)) if mark == issue.0 => Standing::Marked,
                    // On SQLite the number that was deleted last is given again.
                    Some(Ok(_)) => Standing::Gone,
                    Some(Err(_)) | None => Standing::Unmarked,
                })
            }
            status => Err(said(status)),
        }
    }

    /// Closes a twin, and says in a note of which it is one.
    #[must_use]
    pub fn close(&self, twin: Twin) -> Call {
        let Twin { number, of } = twin;
        let body = json!({ "issue": { "status_id": self.closed, "notes": format!("= #{of}") } });
        Call { method: "PUT", path: format!("/issues/{number}.json"), body: Some(body) }
    }
}

/// What a status tells that is no success.
fn said(status: u16) -> Unclear {
    match status {
        401 | 403 => Unclear::Denied(status),
        404 => Unclear::Unknown,
        _ => Unclear::Status(status),
    }
}

fn short(said: &str) -> String {
    said.chars().filter(|c| !c.is_control()).take(SAID).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::twins::Twin;

    const REDMINE: fn() -> Redmine =
        || Redmine { project: "garden".into(), field: 3, closed: 5, language: Language::Chinese };

    fn issue(number: u128) -> IssueId {
        IssueId(uuid::Uuid::from_u128(number))
    }

    fn list(issues: &Value, total: u64) -> Vec<u8> {
        json!({ "issues": issues, "total_count": total }).to_string().into_bytes()
    }

    fn one(number: u64, mark: &str, status: u32) -> Value {
        json!({ "id": number, "author": { "id": 2 }, "status": { "id": status }, "custom_fields": [{ "id": 3, "value": mark }] })
    }

    #[test]
    fn a_look_asks_for_open_and_closed_ones_with_the_mark() {
        let path = "/issues.json?cf_3=00000000-0000-0000-0000-000000000007&status_id=*\
                    &sort=id&limit=100&offset=0";
        assert_eq!(REDMINE().look(issue(7)), Call { method: "GET", path: path.into(), body: None });
        assert_eq!(REDMINE().found(issue(7), 200, &list(&json!([]), 0)).unwrap(), Heard::Found(vec![]));
        let body = list(&json!([one(4, &issue(7).to_string(), 1)]), 1);
        assert_eq!(REDMINE().found(issue(7), 200, &body).unwrap(), Heard::Found(vec![4]));
    }

    #[test]
    fn a_redmine_that_does_not_heed_the_filter_proves_nothing() {
        for other in [issue(8).to_string(), String::new()] {
            let body = list(&json!([one(4, &other, 1)]), 1);
            let found = REDMINE().found(issue(7), 200, &body);
            assert!(matches!(found, Err(Unclear::NotFiltered(3))), "{found:?}");
        }
        let body = json!({ "issues": [{ "id": 4 }], "total_count": 1 }).to_string();
        let found = REDMINE().found(issue(7), 200, body.as_bytes());
        assert!(matches!(found, Err(Unclear::NotFiltered(3))), "{found:?}");
    }

    #[test]
    fn what_is_no_answer_to_the_question_is_unclear() {
        for status in [200, 302, 401, 403, 404, 429, 500] {
            assert!(REDMINE().found(issue(7), status, b"<html>").is_err(), "{status}");
        }
        let created = |status, body: &str| REDMINE().created(status, body.as_bytes());
        for status in [200, 201, 302, 408, 422, 429] {
            assert!(created(status, "<html>").is_err(), "{status}");
        }
        // Without a word: two at once.
        assert_eq!(created(422, r#"{"errors":[]}"#).unwrap().0, Heard::Unclear);
        let refused = created(422, r#"{"errors":["Subject is too\u0000 long","Priority is invalid"]}"#);
        assert_eq!(refused.unwrap().0, Heard::Refused("Subject is too long; Priority is invalid".into()));
        assert_eq!(created(413, "<html>").unwrap().0, Heard::Refused("HTTP 413".into()));
        assert_eq!(created(502, "<html>").unwrap().0, Heard::Failed("HTTP 502".into()));
        assert!(matches!(created(403, "").unwrap(), (Heard::Turned, Err(Unclear::Denied(403)))));
    }

    #[test]
    fn an_issue_that_was_created_without_its_mark_is_linked_and_told() {
        let marked = json!({ "issue": one(9, &issue(7).to_string(), 1) }).to_string();
        assert!(matches!(REDMINE().created(201, marked.as_bytes()).unwrap(), (Heard::Created(9), Ok(()))));
        let created = REDMINE().created(201, br#"{"issue":{"id":9}}"#).unwrap();
        assert!(matches!(created, (Heard::Created(9), Err(Unclear::Unmarked(9, 3)))), "{created:?}");
    }

    #[test]
    fn a_sweep_goes_on_behind_each_page_and_leaves_out_what_somebody_else_wrote_there() {
        let issues = json!([one(1, &issue(7).to_string(), 5), one(2, "ask Li", 1)]);
        let (marked, next) = REDMINE().marked(0, 200, &list(&issues, 3)).unwrap();
        assert_eq!(marked, [Marked { issue: issue(7), number: 1, is_closed: true, author: 2 }]);
        assert_eq!(next, Some(2));
        let (_, next) =
            REDMINE().marked(2, 200, &list(&json!([one(3, &issue(8).to_string(), 1)]), 3)).unwrap();
        assert_eq!(next, None);
        // An empty page ends it, whatever the count says.
        assert_eq!(REDMINE().marked(2, 200, &list(&json!([]), 9)).unwrap().1, None);
        assert_eq!(
            REDMINE().page(2).path.rsplit('?').next().map(|query| query.contains("cf_3=*")),
            Some(true)
        );
    }

    #[test]
    fn an_issue_is_gone_only_where_redmine_itself_says_so_or_shows_another_in_its_place() {
        assert_eq!(REDMINE().one(4), Call { method: "GET", path: "/issues/4.json".into(), body: None });
        let stands = |status, body: &str| REDMINE().stands(issue(7), status, body.as_bytes());
        let there = |mark: &str| json!({ "issue": one(4, mark, 5) }).to_string();
        assert_eq!(stands(200, &there(&issue(7).to_string())).unwrap(), Standing::Marked);
        assert_eq!(stands(200, &there(&issue(8).to_string())).unwrap(), Standing::Gone);
        for emptied in [there(""), there("ask Li"), json!({ "issue": { "id": 4 } }).to_string()] {
            assert_eq!(stands(200, &emptied).unwrap(), Standing::Unmarked, "{emptied}");
        }
        for nothing in ["", "{}"] {
            assert_eq!(stands(404, nothing).unwrap(), Standing::Gone);
        }
        for status in [200, 302, 401, 403, 404, 410, 429, 500] {
            assert!(stands(status, "<html>").is_err(), "{status}");
        }
    }

    #[test]
    fn a_twin_is_closed_with_a_note_of_which_it_is_one() {
        let Call { method, path, body } = REDMINE().close(Twin { number: 9, of: 4 });
        assert_eq!((method, &*path), ("PUT", "/issues/9.json"));
        assert_eq!(body, Some(json!({ "issue": { "status_id": 5, "notes": "= #4" } })));
    }
}
