//! Commands of the binary beside serving.

use persistence::record::verify::{self, Account};
use persistence::{Db, Outcome, Settings};

use crate::config::Config;

/// Verifies the record of the configured store and prints an account of it. `true` where it is intact.
///
/// # Errors
/// Where the store cannot be read, in words.
pub fn verify(config: &Config, json: bool) -> Result<bool, String> {
    let account = prove(config).map_err(|e| e.to_string())?;
    if json {
        println!("{}", serde_json::to_string_pretty(&account).map_err(|e| e.to_string())?);
    } else {
        print!("{}", told(&account));
    }
    Ok(account.is_intact())
}

fn prove(config: &Config) -> Outcome<Account> {
    // Opening would make the file; a record that is not there is not intact.
    let file = config.database.strip_prefix("sqlite:").map(std::path::Path::new);
    if let Some(missing) = file.filter(|file| !file.is_file()) {
        return Err(persistence::Failure::Unavailable(format!("there is no {}", missing.display())));
    }
    let db = Db::open(&Settings { connections: 1, ..Settings::new(&config.database) })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|e| persistence::Failure::Unavailable(e.to_string()))?;
    runtime.block_on(db.scan(verify::verify))
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
    lines.extend(account.findings.iter().map(|finding| format!("BROKEN  {finding}")));
    if account.unlisted > 0 {
        lines.push(format!("BROKEN  and {} findings more", account.unlisted));
    }
    lines.push(if account.is_intact() { "the record is intact" } else { "the record is broken" }.to_owned());
    lines.join("\n") + "\n"
}
