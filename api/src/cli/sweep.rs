//! `dps sweep`: does what is due now, and ends.

use persistence::Ids;

use super::exit::{Ended, Exit, Run};
use super::progress::Bar;
use crate::config::Config;
use crate::{server, sweep};

/// Sweeps once and prints what was done.
pub(super) fn run(config: &Config, json: bool) -> Run {
    let app = server::open(config, Ids::random(), None)?;
    let done = {
        let _bar = Bar::new("doing what is due", None);
        actix_web::rt::System::new().block_on(sweep::once(&app))?
    };
    if json {
        super::print_json(&done)?;
    } else {
        println!("{} changes made, {} failed, {} checkpoints sealed", done.made, done.failed, done.sealed);
    }
    if done.failed == 0 {
        return Ok(());
    }
    Err(Ended::new(Exit::Failed, "changes that are due failed: the log on stderr says which"))
}
