//! how many members each lot has, at two instants (DPS-28).

use actix_web::{get, web};
use domain::admission::membership::Membership;
use domain::arrangement::Arrangement;
use domain::kernel::{ArrangementId, Instant, LotId};
use persistence::admission::memberships;
use persistence::arrangement::lots_of;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::http::filters::{self, in_order};
use crate::http::routes::routes;
use crate::http::{Answer, Call, Reply};

routes! {
    report_members_per_lot: ReadReports, [filters::RULES];
}

/// Which instants to compare.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ReportMembersPerLotQuery {
    /// Of which arrangement.
    arrangement: ArrangementId,
    /// The earlier instant.
    before: Instant,
    /// The later instant; now where absent.
    after: Option<Instant>,
}

/// Members of one lot.
#[derive(Serialize, ToSchema)]
struct Row {
    /// The lot.
    lot: LotId,
    /// Its code.
    code: String,
    /// Its title.
    title: String,
    /// Memberships at the earlier instant.
    before: usize,
    /// Memberships at the later instant.
    after: usize,
}

/// It claims no total: a provider that is a member of several lots counts in each of them (DPS-28).
#[derive(Serialize, ToSchema)]
struct MembersPerLot {
    /// Always `R-02`.
    report: &'static str,
    /// The earlier instant.
    before: Instant,
    /// The later instant.
    after: Instant,
    /// What is counted.
    counted: &'static str,
    /// In the order in which the lots were defined.
    lots: Vec<Row>,
}

/// Report how many members each lot had, before and after
#[utoipa::path(tag = "record", params(ReportMembersPerLotQuery), responses((status = 200, body = MembersPerLot)))]
#[get("/v1/reports/r-02")]
async fn report_members_per_lot(call: Call, asked: web::Query<ReportMembersPerLotQuery>) -> Answer {
    call.scan(move |c, call| {
        let arrangement = call.who.get::<Arrangement>(c, asked.arrangement)?.value;
        let members = c.all_of(memberships::arrangement_id, arrangement.id)?;
        let members: Vec<Membership> = members.into_iter().map(|m| m.value).collect();
        let (before, after) = (asked.before, asked.after.unwrap_or_else(|| call.now()));
        in_order(Some(before), Some(after), "/before")?;
        let count = |lot: LotId, at: Instant| members.iter().filter(|m| m.lot == lot && m.is_member_at(at)).count();
        let lots = lots_of(c, arrangement.id)?
            .into_iter()
            .map(|lot| Row {
                lot: lot.value.id,
                before: count(lot.value.id, before),
                after: count(lot.value.id, after),
                code: lot.value.particulars.code,
                title: lot.value.particulars.title,
            })
            .collect();
        let counted = "memberships, not distinct providers";
        Reply::json(200, &MembersPerLot { report: "R-02", before, after, counted, lots })
    })
    .await
}
