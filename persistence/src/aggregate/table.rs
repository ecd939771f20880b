//! The macro that makes an aggregate's table.

/// Makes an aggregate's table and its [`Record`](crate::Record): the columns that keys, filters and constraints need,
/// each computed from the aggregate.
///
/// The module also has `Filter`, with one optional list of accepted values per column, and `list` and `count` by it.
macro_rules! aggregate {
    ($(#[$doc:meta])* $table:ident: $A:ty, $Id:ty { $($col:ident: $sql:ty = $rust:ty, |$a:ident| $value:expr;)* }) => {
        $(#[$doc])*
        pub mod $table {
            // The subject's file has the aggregate, its id and diesel's prelude in scope.
            use super::*;
            use diesel::upsert::excluded;
            use $crate::aggregate::{Head, Listed, Strength, Stored, Which};
            use $crate::{Conn, Json, Moment, Outcome, Page, Record, Tx, Uid};
            use uuid::Uuid;

            mod columns {
                diesel::table! {
                    use diesel::sql_types::*;
                    use $crate::types::sql::{Json, Moment, Uid};

                    $table (id) {
                        id -> Uid,
                        version -> BigInt,
                        state -> Text,
                        updated_at -> Moment,
                        body -> Json,
                        $($col -> $sql,)*
                    }
                }
            }
            pub(crate) use columns::$table;

            type Row = (i64, Moment, Json);

            /// A value as the columns of its row.
            macro_rules! row {
                ($tx:expr, $of:expr, $version:expr) => {{
                    use domain::kernel::Aggregate;
                    let value: &$A = $of;
                    $(let $col: $rust = { let $a = value; $value };)*
                    (
                        $table::id.eq(Uid(Aggregate::id(value))), $table::version.eq::<i64>($version),
                        $table::state.eq(value.state()), $table::updated_at.eq(Moment($tx.now())),
                        $table::body.eq(Json(serde_json::to_string(value)?)), $($table::$col.eq($col),)*
                    )
                }};
            }

            fn stored((version, updated_at, body): Row) -> Outcome<Stored<$A>> {
                Ok(Stored { value: serde_json::from_str(&body.0)?, version, updated_at: updated_at.0 })
            }

            impl Record for $A {
                type Id = $Id;

                fn find(conn: &mut Conn<'_>, id: $Id) -> Outcome<Option<Stored<$A>>> {
                    let query = $table::table.find(Uid::from(id)).select(($table::version, $table::updated_at, $table::body));
                    on!(conn, c => query.first::<Row>(c)).optional()?.map(stored).transpose()
                }

                fn find_locked(tx: &mut Tx<'_>, id: $Id, strength: Strength) -> Outcome<Option<Stored<$A>>> {
                    let query = $table::table.find(Uid::from(id)).select(($table::version, $table::updated_at, $table::body));
                    let row = match (&mut **tx, strength) {
                        (Conn::Sqlite(c), _) => query.first::<Row>(*c),
                        (Conn::Pg(c), Strength::Share) => query.for_share().first::<Row>(*c),
                        (Conn::Pg(c), Strength::Update) => query.for_no_key_update().first::<Row>(*c),
                    };
                    row.optional()?.map(stored).transpose()
                }

                fn insert(&self, tx: &mut Tx<'_>) -> Outcome<()> {
                    let row = row!(tx, self, 1);
                    run!(tx, diesel::insert_into($table::table).values(row))?;
                    Ok(())
                }

                fn hold_all(tx: &mut Tx<'_>, ids: &[$Id]) -> Outcome<Vec<Stored<$A>>> {
                    let ids: Vec<Uid> = ids.iter().map(|id| Uid::from(*id)).collect();
                    let query = $table::table.filter($table::id.eq_any(ids)).order($table::id)
                        .select(($table::version, $table::updated_at, $table::body));
                    let rows = match &mut **tx {
                        Conn::Sqlite(c) => query.load::<Row>(*c),
                        Conn::Pg(c) => query.for_share().load::<Row>(*c),
                    };
                    rows?.into_iter().map(stored).collect()
                }

                fn insert_all(tx: &mut Tx<'_>, values: &[&Self]) -> Outcome<()> {
                    let mut rows = Vec::with_capacity(values.len());
                    for &value in values {
                        rows.push(row!(tx, value, 1));
                    }
                    run!(tx, diesel::insert_into($table::table).values(&rows))?;
                    Ok(())
                }

                fn update_all(tx: &mut Tx<'_>, values: &[(&Self, i64)]) -> Outcome<bool> {
                    if !matches!(&mut **tx, Conn::Pg(_)) {
                        // Without a network between, a prepared statement for each row is as quick.
                        return values.iter().try_fold(true, |all, (value, version)| {
                            Ok(value.update(tx, *version)? && all)
                        });
                    }
                    let mut rows = Vec::with_capacity(values.len());
                    for (value, version) in values {
                        rows.push(row!(tx, value, version + 1));
                    }
                    let Conn::Pg(c) = &mut **tx else { return Ok(false) };
                    // Every row is there: the insertion always meets it, and changes it where it is still that version.
                    let upsert = diesel::insert_into($table::table).values(&rows)
                        .on_conflict($table::id).do_update()
                        .set((
                            $table::version.eq(excluded($table::version)), $table::state.eq(excluded($table::state)),
                            $table::updated_at.eq(excluded($table::updated_at)),
                            $table::body.eq(excluded($table::body)), $($table::$col.eq(excluded($table::$col)),)*
                        ));
                    let seen = concat!(stringify!($table), ".version = excluded.version - 1");
                    let seen = diesel::dsl::sql::<diesel::sql_types::Bool>(seen);
                    let written = diesel::query_dsl::methods::FilterDsl::filter(upsert, seen).execute(*c)?;
                    Ok(written == values.len())
                }

                fn update(&self, tx: &mut Tx<'_>, version: i64) -> Outcome<bool> {
                    use domain::kernel::Aggregate;
                    let change = Change {
                        id: Uid(Aggregate::id(self)), version, state: self.state(), updated_at: Moment(tx.now()),
                        body: Json(serde_json::to_string(self)?),
                        $($col: { let $a = self; $value },)*
                    };
                    Ok(run!(tx, change)? == 1)
                }
            }

            /// The next version of a row that has this one: diesel prepares an UPDATE of its own anew each time.
            #[derive(diesel::query_builder::QueryId)]
            struct Change {
                id: Uid,
                version: i64,
                state: &'static str,
                updated_at: Moment,
                body: Json,
                $($col: $rust,)*
            }

            macro_rules! change_on {
                ($backend:ty, $connection:ty) => {
                    impl diesel::query_builder::QueryFragment<$backend> for Change {
                        fn walk_ast<'b>(
                            &'b self,
                            mut out: diesel::query_builder::AstPass<'_, 'b, $backend>,
                        ) -> diesel::QueryResult<()> {
                            macro_rules! value {
                                ($before:expr, $column:ident) => {
                                    out.push_sql($before);
                                    out.push_identifier(stringify!($column))?;
                                    out.push_sql(" = ");
                                    out.push_bind_param::<diesel::dsl::SqlTypeOf<$table::$column>, _>(&self.$column)?;
                                };
                            }
                            out.push_sql(concat!("UPDATE ", stringify!($table), " SET version = version + 1"));
                            value!(", ", state);
                            value!(", ", updated_at);
                            value!(", ", body);
                            $(value!(", ", $col);)*
                            value!(" WHERE ", id);
                            value!(" AND ", version);
                            Ok(())
                        }
                    }

                    impl diesel::RunQueryDsl<$connection> for Change {}
                };
            }
            change_on!(diesel::pg::Pg, diesel::PgConnection);
            change_on!(diesel::sqlite::Sqlite, diesel::SqliteConnection);

            /// Which rows: those that match every list that is given.
            #[derive(Clone, Debug, Default)]
            pub struct Filter {
                /// Accepted identifiers.
                pub id: Option<Vec<Uid>>,
                /// Accepted states.
                pub state: Option<Vec<String>>,
                /// Changed at or after this instant.
                pub updated_since: Option<Moment>,
                $(
                    /// Accepted values.
                    pub $col: Option<Vec<$rust>>,
                )*
            }

            impl Filter {
                /// Whether a list of accepted values is empty, so that no row can match.
                fn accepts_nothing(&self) -> bool {
                    fn is_empty<T>(values: Option<&Vec<T>>) -> bool {
                        values.is_some_and(Vec::is_empty)
                    }
                    is_empty(self.id.as_ref()) || is_empty(self.state.as_ref()) $(|| is_empty(self.$col.as_ref()))*
                }

                /// The same in several parts, each with one value of a column: so each is in the order of an index.
                fn parts(&self) -> Option<Vec<Self>> {
                    fn finds<T>(column: &str, values: Option<&Vec<T>>) -> bool {
                        $crate::aggregate::WITHIN_ONE.contains(&column) && values.is_some_and(|values| values.len() == 1)
                    }
                    // Whatever is of one of these is of one arrangement, and is found by it.
                    let found = [$(finds(stringify!($col), self.$col.as_ref()),)*].contains(&true);
                    $(
                        if let Some(values) = &self.$col
                            && (2..=$crate::aggregate::PARTS).contains(&values.len())
                            && !(found && stringify!($col) == "arrangement_id")
                        {
                            let part = |value: &$rust| Self { $col: Some(vec![Clone::clone(value)]), ..self.clone() };
                            return Some(values.iter().map(part).collect());
                        }
                    )*
                    // With a column the states are asked of each row that it finds.
                    let found = [$(self.$col.is_some(),)*].contains(&true);
                    let states = self.state.as_ref().filter(|states| !found && states.len() > 1);
                    let part = |state: &String| Self { state: Some(vec![state.clone()]), ..self.clone() };
                    states.map(|states| states.iter().map(part).collect())
                }
            }

            /// The filter as a boxed query, once per backend. One value is an equation: behind it an index is in order.
            /// Of changes since an instant all else is asked of each, in words that no index is searched for.
            macro_rules! filtered {
                ($filter:expr) => { filtered!($filter, Page::ALL) };
                ($filter:expr, $page:expr) => {{
                    let mut query = $table::table.into_boxed();
                    let filter: &Filter = $filter;
                    macro_rules! accept {
                        ($column:ident) => {
                            query = match filter.$column.as_deref() {
                                None => query,
                                Some(values) if $page.changes => {
                                    let same = concat!("coalesce(", stringify!($column), ", ", stringify!($column), ")");
                                    let same = diesel::dsl::sql::<diesel::dsl::SqlTypeOf<$table::$column>>(same);
                                    query.filter(same.eq_any(values.to_vec()))
                                }
                                Some([one]) => query.filter($table::$column.eq(Clone::clone(one))),
                                Some(values) => query.filter($table::$column.eq_any(values.to_vec())),
                            };
                        };
                    }
                    accept!(id);
                    accept!(state);
                    $(accept!($col);)*
                    if let Some(since) = filter.updated_since && $page.changed.is_none() {
                        query = query.filter($table::updated_at.ge(since));
                    }
                    query
                }};
            }

            /// The rows of a page by `read`, in several parts where each is then in the order of an index.
            pub(crate) fn in_parts<R>(
                conn: &mut Conn<'_>,
                filter: &Filter,
                page: Page,
                id: fn(&R) -> Uuid,
                read: &dyn Fn(&mut Conn<'_>, &Filter, Page) -> Outcome<Vec<R>>,
            ) -> Outcome<Vec<R>> {
                if filter.accepts_nothing() {
                    return Ok(Vec::new());
                }
                let parts = if page.changes { None } else { page.most().zip(filter.parts()) };
                let Some((most, parts)) = parts else { return read(conn, filter, page) };
                let mut rows = Vec::new();
                for part in &parts {
                    rows.extend(in_parts(conn, part, page, id, read)?);
                }
                rows.sort_unstable_by_key(id);
                rows.dedup_by_key(|row| id(row));
                rows.truncate(most);
                Ok(rows)
            }

            /// A page of what the filter lets through: in the order of creation, or in that of the last changes.
            macro_rules! paged {
                ($filter:expr, $page:expr) => {{
                    let mut query = filtered!($filter, $page);
                    if $page.most().is_some() { query = query.limit($page.limit); }
                    query = match ($page.changes, $page.after, $page.changed) {
                        (true, Some(after), Some(changed)) => query.filter(
                            diesel::dsl::sql::<diesel::sql_types::Bool>("(updated_at, id) > (")
                                .bind::<$crate::types::sql::Moment, _>(Moment(changed))
                                .sql(", ")
                                .bind::<$crate::types::sql::Uid, _>(Uid(after))
                                .sql(")"),
                        ),
                        (_, Some(after), _) => query.filter($table::id.gt(Uid(after))),
                        (_, None, _) => query,
                    };
                    if $page.changes {
                        query.order(($table::updated_at.asc(), $table::id.asc()))
                    } else {
                        query.order($table::id.asc())
                    }
                }};
            }

            /// The rows of a page, in the order of creation; in that of their last changes, where those since an instant
            /// are asked for.
            ///
            /// # Errors
            /// Where the store fails.
            pub fn list(conn: &mut Conn<'_>, filter: &Filter, page: Page) -> Outcome<Vec<Stored<$A>>> {
                in_parts(conn, filter, page, |row| domain::kernel::Aggregate::id(&row.value), &|conn, filter, page| {
                    let rows = on!(conn, c =>
                        paged!(filter, page).select(($table::version, $table::updated_at, $table::body)).load::<Row>(c))?;
                    rows.into_iter().map(stored).collect()
                })
            }

            impl Listed for $A {
                type Filter = Filter;

                fn page(conn: &mut Conn<'_>, filter: &Filter, page: Page) -> Outcome<Vec<Head>> {
                    in_parts(conn, filter, page, |row| row.id, &|conn, filter, page| {
                        let rows = on!(conn, c => paged!(filter, page)
                            .select(($table::id, $table::version, $table::updated_at))
                            .load::<(Uid, i64, Moment)>(c))?;
                        Ok(rows.into_iter().map(|(id, version, at)| Head { id: id.0, version, updated_at: at.0 }).collect())
                    })
                }

                fn these(conn: &mut Conn<'_>, ids: &[Uuid]) -> Outcome<Vec<Stored<$A>>> {
                    let Conn::Pg(c) = conn else {
                        // There a list of values is prepared anew each time, and a look-up is as quick.
                        let found = ids.iter().map(|id| <$A>::find(conn, (*id).into()));
                        return found.filter_map(Result::transpose).collect();
                    };
                    let ids: Vec<Uid> = ids.iter().map(|id| Uid(*id)).collect();
                    let query = $table::table.filter($table::id.eq_any(ids));
                    let rows = query.select(($table::version, $table::updated_at, $table::body)).load::<Row>(*c)?;
                    rows.into_iter().map(stored).collect()
                }
            }

            /// Identifiers and versions, for the verifier of the record.
            pub(crate) fn versions(conn: &mut Conn<'_>, which: Which<'_>) -> Outcome<Vec<(Uid, i64)>> {
                Ok(on!(conn, c => {
                    let mut query = $table::table.into_boxed();
                    query = match which {
                        Which::These(ids) => query.filter($table::id.eq_any(ids.to_vec())),
                        Which::After(None, most) => query.order($table::id.asc()).limit(most),
                        Which::After(Some(id), most) => {
                            query.filter($table::id.gt(id)).order($table::id.asc()).limit(most)
                        }
                    };
                    query.select(($table::id, $table::version)).load(c)
                })?)
            }

            /// How many rows match.
            ///
            /// # Errors
            /// Where the store fails.
            pub fn count(conn: &mut Conn<'_>, filter: &Filter) -> Outcome<i64> {
                Ok(on!(conn, c => filtered!(filter).count().get_result::<i64>(c))?)
            }
        }
    };
}
