//! What a database would do for a statement, and what of it grows with the history.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;

use crate::database::{Database, Kind};

/// Tables that may be read from end to end: how many rows they have does not depend on how long the system has run.
pub const SMALL: &[(&str, &str)] = &[
    ("arrangements", "a lead agency has a handful"),
    ("participants", "the authorities of an arrangement"),
    ("lots", "a handful for each arrangement"),
    ("requirements", "the library of an authority, kept by hand"),
    ("rounds", "a few a year for each arrangement"),
    ("clients", "registered by hand, one by one"),
    ("webhooks", "an account may have a few"),
    ("webhook_progress", "one row for each subscription that is there still"),
    ("leases", "one row for each piece of work in hand"),
    ("__diesel_schema_migrations", "one row for each migration"),
];

/// What is wrong with a plan.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Fault {
    /// A page is taken from rows that are sorted for it, all of them.
    Sorts,
    /// Rows are looked through one by one, in the order of an index, for those that match.
    Walks,
    /// A table is read from end to end.
    Scans,
}

/// A plan's faults, and the plan as the database tells it.
pub struct Judged {
    pub faults: Vec<(Fault, String)>,
    pub plan: String,
}

impl Judged {
    fn gravest(&self) -> Option<Fault> {
        self.faults.iter().map(|(fault, _)| *fault).max()
    }
}

#[derive(QueryableByName)]
struct Line {
    #[diesel(sql_type = Text)]
    detail: String,
}

/// A connection that explains.
pub enum Explainer {
    Sqlite(Box<SqliteConnection>),
    Postgres(Box<PgConnection>),
}

impl Explainer {
    pub fn on(database: &Database) -> Self {
        match database.kind {
            // On the empty template: a server may still have the test's own file to itself.
            Kind::Sqlite => Self::Sqlite(Box::new(crate::database::sqlite(&crate::database::template()))),
            Kind::Postgres => {
                let mut conn = crate::database::postgres(&database.url);
                // On empty tables it would be right to scan: what is asked is what it could do else.
                let asked = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; \
                             SET enable_bitmapscan = off; SET enable_hashjoin = off; SET enable_mergejoin = off; \
                             SET enable_material = off";
                conn.batch_execute(asked).unwrap();
                Self::Postgres(Box::new(conn))
            }
        }
    }

    /// What the plan of a statement does wrong.
    pub fn judge(&mut self, statement: &str) -> Judged {
        let bounded = statement.contains(" LIMIT ");
        match self {
            Self::Sqlite(conn) => {
                let lines: Vec<Line> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}"))
                    .load(&mut **conn)
                    .unwrap_or_else(|e| panic!("{e}: {statement}"));
                let mut faults: Vec<_> =
                    lines.iter().filter_map(|line| of_sqlite(conn, &line.detail, statement, bounded)).collect();
                faults.sort();
                Judged { faults, plan: lines.iter().map(|line| format!("  {}\n", line.detail)).collect() }
            }
            Self::Postgres(conn) => {
                // An order that an index gives, or else rows that an index finds and that are sorted then.
                let unsorted = of_postgres(conn, statement, bounded, "off");
                if unsorted.faults.is_empty() {
                    return unsorted;
                }
                let sorted = of_postgres(conn, statement, bounded, "on");
                if sorted.gravest() < unsorted.gravest() { sorted } else { unsorted }
            }
        }
    }
}

fn is_small(table: &str) -> bool {
    SMALL.iter().any(|(small, _)| *small == table)
}

/// One line, such as `SEARCH events USING INDEX events_provider (provider_id=? AND rowid>?)`.
fn of_sqlite(conn: &mut SqliteConnection, line: &str, statement: &str, bounded: bool) -> Option<(Fault, String)> {
    if line.starts_with("USE TEMP B-TREE FOR") {
        let sorts = bounded && line.contains("ORDER BY") && !is_small(table_of(statement));
        return sorts.then(|| (Fault::Sorts, line.to_owned()));
    }
    let mut words = line.split(' ');
    let (what, table) = (words.next()?, words.next()?);
    let table = plain(statement, table);
    // Neither of these is a table: what is in parentheses has lines of its own, and a list comes with the question.
    let none = table.starts_with('(') || ["CONSTANT", "json_each"].contains(&table.as_str());
    if none || is_small(&table) || !["SCAN", "SEARCH"].contains(&what) {
        return None;
    }
    let index = line.split("INDEX ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap_or_default();
    let terms = line.split_once('(').map(|(_, terms)| terms.trim_end_matches(')')).unwrap_or_default();
    if terms.contains('=') || line.contains("USING ROWID SEARCH") {
        return None;
    }
    // Whatever the index does not answer is asked of row after row.
    let answered = if terms.is_empty() { 0 } else { terms.split(" AND ").count() } + predicate(conn, index);
    let whole = terms.is_empty();
    match (whole, conditions(statement) > answered) {
        (true, false) if bounded => None,
        (true, _) => Some((Fault::Scans, line.to_owned())),
        (false, true) => Some((Fault::Walks, line.to_owned())),
        (false, false) => None,
    }
}

/// The conditions that the rows of a partial index meet.
fn predicate(conn: &mut SqliteConnection, index: &str) -> usize {
    let query = format!("SELECT coalesce(sql, '') AS detail FROM sqlite_master WHERE name = '{index}'");
    let lines: Vec<Line> = diesel::sql_query(query).load(conn).unwrap();
    lines.first().and_then(|line| line.detail.split_once(" WHERE ")).map_or(0, |(_, all)| all.split(" AND ").count())
}

/// How many conditions the outermost WHERE of a statement sets.
fn conditions(statement: &str) -> usize {
    let Some((_, all)) = statement.split_once(" WHERE ") else { return 0 };
    let end = all.find(" ORDER BY ").or_else(|| all.find(" LIMIT ")).unwrap_or(all.len());
    all[..end].split(" AND ").count()
}

/// The table that a statement is about.
fn table_of(statement: &str) -> &str {
    let after = ["FROM ", "UPDATE "].iter().find_map(|word| statement.split_once(word)).map_or("", |(_, rest)| rest);
    after.trim_start_matches('(').split([' ', '`', '"', ',']).find(|word| !word.is_empty()).unwrap_or_default()
}

/// A table by its name, where a plan calls it by an alias.
fn plain(statement: &str, name: &str) -> String {
    for quote in ['`', '"'] {
        if let Some((before, _)) = statement.split_once(&format!(" AS {quote}{name}{quote}")) {
            return before.rsplit([' ', '(', '`', '"']).find(|word| !word.is_empty()).unwrap_or(name).to_owned();
        }
    }
    name.to_owned()
}

fn of_postgres(conn: &mut PgConnection, statement: &str, bounded: bool, sort: &str) -> Judged {
    let values = (1..=1_000).take_while(|n| statement.contains(&format!("${n}"))).count();
    let nulls = if values == 0 { String::new() } else { format!("({})", vec!["NULL"; values].join(", ")) };
    conn.batch_execute(&format!("SET enable_sort = {sort}; PREPARE asked AS {statement}"))
        .unwrap_or_else(|e| panic!("{e}: {statement}"));
    let explain = format!(
        "DO $do$ DECLARE told json; BEGIN \
           EXECUTE $ask$EXPLAIN (FORMAT JSON, COSTS OFF) EXECUTE asked{nulls}$ask$ INTO told; \
           PERFORM set_config('asked.told', told::text, false); \
         END $do$"
    );
    conn.batch_execute(&explain).unwrap_or_else(|e| panic!("{e}: {statement}"));
    let told: Vec<Line> = diesel::sql_query("SELECT current_setting('asked.told') AS detail").load(conn).unwrap();
    conn.batch_execute("DEALLOCATE asked").unwrap();
    let told: Value = serde_json::from_str(&told[0].detail).unwrap();
    let mut judged = Judged { faults: Vec::new(), plan: String::new() };
    node(&told[0]["Plan"], bounded, 1, &mut judged);
    judged.faults.sort();
    judged
}

fn node(plan: &Value, bounded: bool, depth: usize, judged: &mut Judged) {
    let text = |name: &str| plan[name].as_str().unwrap_or_default();
    let (kind, table) = (text("Node Type"), text("Relation Name"));
    let (condition, filter) = (text("Index Cond"), text("Filter"));
    let line = format!("{kind} {table} {} {condition} [{filter}]", text("Index Name"));
    judged.plan += &format!("{}{line}\n", "  ".repeat(depth));
    let fault = match kind {
        "Seq Scan" => Some(Fault::Scans),
        "Index Scan" | "Index Only Scan" => {
            // What is settled is a range of the feed's own order, not a search in it.
            let searched = !filter.is_empty() && !filter.starts_with("(tx < ((pg_snapshot_xmin");
            if condition.contains(" = ") {
                None
            } else if condition.is_empty() {
                (searched || !bounded).then_some(Fault::Scans)
            } else {
                searched.then_some(Fault::Walks)
            }
        }
        "Sort" | "Incremental Sort" => bounded.then_some(Fault::Sorts),
        _ => None,
    };
    let sorted_small = || tables(plan).iter().all(|table| is_small(table));
    if let Some(fault) = fault.filter(|_| !sorted_small()) {
        judged.faults.push((fault, line));
    }
    for below in plan["Plans"].as_array().into_iter().flatten() {
        node(below, bounded, depth + 1, judged);
    }
}

/// The tables that a part of a plan reads.
fn tables(plan: &Value) -> Vec<String> {
    let own = plan["Relation Name"].as_str().map(str::to_owned);
    own.into_iter().chain(plan["Plans"].as_array().into_iter().flatten().flat_map(tables)).collect()
}
