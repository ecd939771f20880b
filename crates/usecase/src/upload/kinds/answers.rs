//! Answers and evidence of one application: a row each, into the draft of the sender's own application (PRO-17). A blank value takes an
//! answer back.

use chrono::NaiveDate;
use domain::admission::Application;
use domain::admission::answers::{Answer, Asked, DocumentRef, EvidenceItem};
use domain::arrangement::requirement::AnswerType;
use domain::arrangement::{RequirementRef, RequirementVersion};
use domain::kernel::{Aggregate as _, ApplicationId, Decision, Named, Pence, Refusal, Rule};
use domain::upload::{Note, Subject, UploadKind};
use persistence::{Conn, Failure, Outcome, Tx};
use serde_json::Value;

use crate::admission::Lots;
use crate::admission::draft::REQUIREMENT_NOT_ASKED;
use crate::arrangement::requirement::required;

use super::understood;
use crate::Caller;
use crate::upload::row::{Cells, Column, MISSING_VALUE, column, whole};
use crate::upload::{Batch, Change, Decisions, Rows, Verdict, write_all};

domain::rules! {
    ANSWER_AMBIGUOUS = "answer_ambiguous", Input, "CRD-07",
        "A row answers a question, gives a document or assesses a requirement, and no two of these.";
}

/// Answers.
pub struct Answers;

static COLUMNS: &[Column] = &[
    column("requirement", true, "code_of_a_requirement"),
    column("question", false, "code_of_a_question"),
    column("value", false, "yes"),
    column("selfAssessment", false, ""),
    column("evidence", false, ""),
    column("documentName", false, ""),
    column("documentUri", false, ""),
    column("documentSha256", false, ""),
    column("issuedOn", false, ""),
    column("expiresOn", false, ""),
    column("amount", false, ""),
];

type Definition = (RequirementRef, String, RequirementVersion);

/// The application whose draft the rows answer.
///
/// # Errors
/// Not found.
pub fn scope(c: &mut Conn<'_>, who: &Caller, application: ApplicationId) -> Outcome<Subject> {
    let application = who.get::<Application>(c, application)?.value;
    let about = application.about();
    let (arrangement, provider) = (about.arrangement, about.provider);
    Ok(Subject { application: Some(application.id), arrangement, provider })
}

impl Rows for Answers {
    fn kind(&self) -> UploadKind {
        UploadKind::Answers
    }

    fn rules(&self) -> &'static [&'static Rule] {
        RULES
    }

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn keys(&self, cells: &Cells<'_>) -> Vec<(&'static str, String)> {
        let Some(requirement) = cells.text("requirement") else { return Vec::new() };
        let about = ["question", "evidence"].into_iter().find_map(|column| Some((column, cells.text(column)?)));
        let (column, about) = about.unwrap_or(("requirement", String::new()));
        vec![(column, format!("{requirement} {about}"))]
    }

    fn hold(&self, tx: &mut Tx<'_>, batch: &Batch<'_>) -> Outcome<()> {
        tx.lock::<Application>(subject(batch)?).map(drop)
    }

    fn decide(&self, conn: &mut Conn<'_>, batch: &Batch<'_>) -> Outcome<Decisions> {
        let before = conn.get::<Application>(subject(batch)?)?;
        let lots = Lots::load(conn, before.value.provider, before.value.arrangement)?;
        let chosen = before.value.draft.as_ref().map(|draft| draft.lots.as_slice()).unwrap_or_default();
        let definitions = required(conn, &lots.asked_by(chosen))?;
        let mut application = before.value.clone();
        let (mut events, mut verdicts, mut notes) = (Vec::new(), Vec::new(), Vec::new());
        for mut cells in batch.cells() {
            let decided = decide(&mut cells, &application, &definitions, (batch, &mut notes));
            verdicts.push(match decided {
                _ if !cells.is_good() => Verdict::Refused(cells.faults()),
                None => Verdict::Unchanged,
                Some((verdict, (after, more))) => {
                    application = after;
                    events.extend(more);
                    verdict
                }
            });
        }
        let change = Change::Old(before, (application, events));
        Ok(Decisions { verdicts, notes, write: Box::new(|tx| write_all(tx, vec![change])) })
    }
}

fn subject(batch: &Batch<'_>) -> Outcome<ApplicationId> {
    batch.subject.application.ok_or_else(|| Failure::Broken("answers without an application".to_owned()))
}

type Step = (Verdict, (Application, Vec<<Application as domain::kernel::Aggregate>::Event>));

/// What a row does to the draft; `None` where it says what the draft says, or where it is refused.
fn decide(
    cells: &mut Cells<'_>,
    application: &Application,
    definitions: &[Definition],
    (batch, notes): (&Batch<'_>, &mut Vec<Note>),
) -> Option<Step> {
    let code = cells.needed("requirement")?;
    let Some(draft) = &application.draft else {
        let (kind, from) = (Application::KIND, application.state().name());
        cells.refused(&Refusal::WrongState { kind, from, attempted: "save_answer", allowed: &[] });
        return None;
    };
    let Some((reference, _, definition)) = definitions.iter().find(|(_, known, _)| *known == code) else {
        cells.refuse(&REQUIREMENT_NOT_ASKED, "requirement", "none of the lots applied to has this requirement");
        return None;
    };
    let asked = Asked { requirement: *reference, definition };
    let none = Answer::default();
    let given = draft.answers.get(&reference.requirement).unwrap_or(&none);
    let now = batch.stamp.now;
    let (question, evidence) = (cells.text("question"), cells.text("evidence"));
    let (is_new, decision): (bool, Decision<Application>) = match (question, evidence) {
        (Some(_), Some(_)) => {
            cells.refuse(&ANSWER_AMBIGUOUS, "evidence", "the row answers a question as well");
            return None;
        }
        (None, Some(code)) => {
            let known = given.evidence.iter().find(|known| known.code == code);
            let item = item(cells, code, known)?;
            if cells.has("amount") {
                Note::add(notes, item.amount.map(|amount| understood(cells, amount)));
            }
            if known == Some(&item) {
                return None;
            }
            (known.is_none(), application.clone().attach_evidence(asked, item, now))
        }
        (question, None) => {
            let (mut values, mut assessed) = (given.values.clone(), given.self_assessment);
            // A row of a table has a cell for what other rows say; an object that names the assessment alone takes it back.
            let takes_back = cells.has("selfAssessment") && !cells.has("question");
            if let Some(stated) = cells.yes("selfAssessment") {
                assessed = Some(stated);
            } else if question.is_none() && cells.text("selfAssessment").is_none() {
                if takes_back {
                    assessed = None;
                } else {
                    cells.refuse(&MISSING_VALUE, "question", "the row answers nothing");
                }
            }
            let is_new = match &question {
                Some(question) => !values.contains_key(question),
                None => given.self_assessment.is_none(),
            };
            if let Some(question) = question {
                match cells.text("value") {
                    Some(text) => {
                        let value = value(cells, definition, &question, text)?;
                        let is_money = kind_of(definition, &question) == Some(&AnswerType::Money);
                        let amount = value.as_i64().filter(|_| is_money).map(Pence);
                        Note::add(notes, amount.map(|amount| understood(cells, amount)));
                        values.insert(question, value);
                    }
                    None if cells.has("value") => drop(values.remove(&question)),
                    None => {}
                }
            }
            if !cells.is_good() || (values == given.values && assessed == given.self_assessment) {
                return None;
            }
            (is_new, application.clone().save_answer(asked, values, assessed, now))
        }
    };
    let decided = decision.map_err(|refusal| answered(cells, refusal)).ok()?;
    Some((if is_new { Verdict::Added } else { Verdict::Changed }, decided))
}

/// The domain points at the question within the values: here that is the column of the value.
fn answered(cells: &mut Cells<'_>, refusal: Refusal) {
    let Refusal::Rules(mut broken) = refusal else { return cells.refused(&refusal) };
    for violation in &mut broken {
        let column = match violation.field.as_deref() {
            Some(field) if field.starts_with("/values") => "/value",
            Some("/document/name") => "/documentName",
            Some("/document/uri") => "/documentUri",
            Some("/document/sha256") => "/documentSha256",
            Some("/code") => "/evidence",
            Some(_) | None => continue,
        };
        violation.field = Some(column.to_owned());
    }
    cells.refused(&Refusal::Rules(broken));
}

/// What a question asks for.
fn kind_of<'d>(definition: &'d RequirementVersion, question: &str) -> Option<&'d AnswerType> {
    definition.questions.iter().find(|q| q.code == question).map(|q| &q.answer)
}

/// A text as an answer of the kind that its question asks for; where it is none, the domain says so. An amount whose unit is not clear is
/// a fault of its own.
fn value(cells: &mut Cells<'_>, definition: &RequirementVersion, question: &str, text: String) -> Option<Value> {
    Some(match kind_of(definition, question) {
        Some(AnswerType::YesNo) => match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "true" | "1" => Value::Bool(true),
            "no" | "n" | "false" | "0" => Value::Bool(false),
            _ => Value::String(text),
        },
        Some(AnswerType::Money) => Value::from(cells.amount("value")?.0),
        Some(AnswerType::Number) => whole(&text).parse::<i64>().map_or(Value::String(text), Value::from),
        Some(AnswerType::Date) => {
            let civil = NaiveDate::parse_from_str(&text, "%d/%m/%Y").ok();
            Value::String(civil.map_or(text, |date| date.to_string()))
        }
        Some(AnswerType::Text { .. } | AnswerType::Choice { .. }) | None => Value::String(text),
    })
}

/// The document that a row gives; what it does not speak of is as it is known.
fn item(cells: &mut Cells<'_>, code: String, known: Option<&EvidenceItem>) -> Option<EvidenceItem> {
    let text = |cells: &mut Cells<'_>, column, known: Option<&String>| match known.filter(|_| !cells.has(column)) {
        Some(known) => Some(known.clone()),
        None => cells.needed(column),
    };
    let name = text(cells, "documentName", known.map(|known| &known.document.name));
    let uri = text(cells, "documentUri", known.map(|known| &known.document.uri));
    let mut sha256 = cells.text("documentSha256");
    let (mut issued_on, mut expires_on) = (cells.date("issuedOn"), cells.date("expiresOn"));
    let mut amount = cells.amount("amount");
    if let Some(known) = known {
        // A digest is that of its document.
        if !cells.has("documentSha256") && uri.as_ref() == Some(&known.document.uri) {
            sha256.clone_from(&known.document.sha256);
        }
        issued_on = if cells.has("issuedOn") { issued_on } else { known.issued_on };
        expires_on = if cells.has("expiresOn") { expires_on } else { known.expires_on };
        amount = if cells.has("amount") { amount } else { known.amount };
    }
    if !cells.is_good() {
        return None;
    }
    let document = DocumentRef { name: name?, uri: uri?, sha256 };
    Some(EvidenceItem { code, document, issued_on, expires_on, amount })
}
