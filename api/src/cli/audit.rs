//! `dps audit verify`: proves the record.

use persistence::record::verify::{self, Account};

use super::exit::{Ended, Exit, Run};
use super::progress::Bar;
use crate::config::Config;

/// Verifies the record of the configured store and prints an account of it.
///
/// # Errors
/// Where the store cannot be read, and where the record is not intact.
pub fn verify(config: &Config, json: bool) -> Run {
    let account = persistence::backup::inspect(&config.database, proved)?;
    if json {
        super::print_json(&account)?;
    } else {
        print!("{}", told(&account));
    }
    // The account that was printed says why.
    if account.is_intact() { Ok(()) } else { Err(Ended { exit: Exit::Broken, why: Vec::new() }) }
}

/// The account of a record, with a bar.
pub(super) fn proved(conn: &mut persistence::Conn<'_>) -> persistence::Outcome<Account> {
    let bar = Bar::new("verifying the record", Some(verify::size(conn)?));
    verify::verify_telling(conn, &mut |done| bar.at(done))
}

/// The account for a reader.
fn told(account: &Account) -> String {
    let Account { chains, events, checkpoints, sealed, .. } = account;
    let mut lines = vec![
        format!("{events} events in {chains} chains"),
        format!(
            "{checkpoints} checkpoints seal {sealed} events; {} are not sealed yet",
            events.saturating_sub(*sealed)
        ),
    ];
    if let Some((number, digest)) = &account.last_checkpoint {
        lines.push(format!("the last checkpoint is {number}: {digest}"));
    }
    lines.extend(findings(account));
    lines.push(if account.is_intact() { "the record is intact" } else { "the record is broken" }.to_owned());
    lines.join("\n") + "\n"
}

/// What is wrong, a line each.
pub(super) fn findings(account: &Account) -> Vec<String> {
    let mut lines: Vec<String> = account.findings.iter().map(|finding| format!("BROKEN  {finding}")).collect();
    if account.unlisted > 0 {
        lines.push(format!("BROKEN  and {} findings more", account.unlisted));
    }
    lines
}
