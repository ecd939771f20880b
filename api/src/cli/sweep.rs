//! `dps sweep`: does what is due now, and ends.

use actix_web::web;
use persistence::Ids;

use super::exit::{Ended, Exit, Run};
use super::progress::Bar;
use crate::config::Config;
use crate::{jobs, server};

/// Runs every job once and prints what was done.
pub(super) fn run(config: &Config, json: bool) -> Run {
    let app = web::Data::new(server::open(config, Ids::random(), config.listen, None)?);
    let done = {
        let _bar = Bar::new("doing what is due", None);
        actix_web::rt::System::new().block_on(jobs::once(&app))?
    };
    if json {
        super::print_json(&done)?;
    } else {
        for (job, tally) in done.iter().filter(|(_, tally)| tally.made + tally.failed > 0) {
            println!("{job}: {} done, {} failed", tally.made, tally.failed);
        }
        println!("nothing more is due");
    }
    if done.values().all(|tally| tally.failed == 0) {
        return Ok(());
    }
    Err(Ended::new(Exit::Failed, "changes that are due failed: the log on stderr says which"))
}
