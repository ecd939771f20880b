//! One list per subject registers its routes, documents them and names the permission each needs, so that the three
//! cannot differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::guard::fn_guard;
use actix_web::web::{ServiceConfig, scope};
use domain::kernel::{Permission, Rule};
use usecase::clockwork::Clockwork;
use usecase::deadline::Explained;
use usecase::upload::Rows;
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{HttpMethod, OpenApi, RefOr};

/// One operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The handler's name; in camel case it is the `operationId`.
    pub name: &'static str,
    /// What the caller needs.
    pub permission: Permission,
    /// The rules whose violation it can answer with.
    pub rules: &'static [&'static [&'static Rule]],
    /// Registers the handler.
    pub register: fn(&mut ServiceConfig),
    /// Where it is, without the schemas that its documentation names.
    pub place: fn() -> Place,
}

/// Path pattern, methods and documentation of an operation, as its handler states them.
pub type Place = (String, Vec<HttpMethod>, utoipa::openapi::path::Operation);

/// A subject of the API, whole: what its operations are about, and what runs, falls due and is uploaded beside them.
///
/// A subject to come is one static of this type, and its line in [`SUBJECTS`](crate::SUBJECTS).
pub struct Subject {
    /// The tags of its operations, each with what they are about.
    pub tags: &'static [(&'static str, &'static str)],
    /// Its routes, a file each.
    pub routes: &'static [fn() -> Routes],
    /// What the clock does to its aggregates.
    pub clock: &'static [Clockwork],
    /// Which of its things have deadlines that explain themselves.
    pub deadlines: &'static [Explained],
    /// The kinds of upload that change its aggregates.
    pub uploads: &'static [&'static dyn Rows],
}

/// The routes of one file.
pub struct Routes {
    /// Their documentation.
    pub document: fn() -> OpenApi,
    /// What each needs and can answer.
    pub operations: &'static [Operation],
}

/// Declares a file's routes: `handler: Permission, [RULES of the modules it decides with];`
macro_rules! routes {
    ($($handler:ident: $permission:ident, [$($rules:expr),* $(,)?];)+) => {
        /// The routes of this file.
        pub(super) fn routes() -> $crate::http::routes::Routes {
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler),+))]
            struct Document;

            $crate::http::routes::Routes {
                document: <Document as utoipa::OpenApi>::openapi,
                operations: {
                    const OPERATIONS: &[$crate::http::routes::Operation] = &[$(
                        $crate::http::routes::Operation {
                            name: stringify!($handler),
                            permission: domain::kernel::Permission::$permission,
                            rules: { static OWN: &[&[&domain::kernel::Rule]] = &[$($rules),*]; OWN },
                            register: |config| { config.service($handler); },
                            place: || {
                                use utoipa::Path;
                                ($handler::path(), $handler::methods(), $handler::operation())
                            },
                        }
                    ),+];
                    OPERATIONS
                },
            }
        }
    };
}
pub(crate) use routes;

/// States a clock-driven change: `Job: Kind "what", tick`.
macro_rules! clockwork {
    ($job:ident: $kind:ident $what:literal, $tick:path) => {
        usecase::clockwork::Clockwork {
            job: usecase::clockwork::ClockJob::$job,
            kind: domain::kernel::Kind::$kind,
            what: $what,
            tick: |tx, id| $tick(tx, id.into()),
        }
    };
}
pub(crate) use clockwork;

/// States what explains the deadlines of a kind.
macro_rules! explained {
    ($kind:ident, $of:path) => {
        usecase::deadline::Explained { kind: domain::kernel::Kind::$kind, of: |c, who, id| $of(c, who, id.into()) }
    };
}
pub(crate) use explained;

/// Finds the operation that a method and a path name, in a time that does not grow with their number.
#[derive(Debug, Default)]
pub struct Directory {
    router: matchit::Router<usize>,
    resources: Vec<Resource>,
    operations: usize,
}

/// What stands under one path pattern.
#[derive(Debug)]
struct Resource {
    pattern: &'static str,
    entries: Vec<Entry>,
}

/// An operation with the query parameters that it documents.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The operation.
    pub operation: Operation,
    /// Its method.
    pub method: &'static str,
    /// Its path pattern, such as `/v1/lots/{id}`.
    pub pattern: &'static str,
    /// Its place among all operations, from 0.
    pub number: usize,
    query: Vec<String>,
}

/// What a method and a path name.
#[derive(Clone, Copy, Debug)]
pub enum Found {
    /// An operation.
    Operation(&'static Entry),
    /// A path that knows other methods.
    Elsewhere(&'static str, &'static [Entry]),
    /// No operation of the API.
    Nothing,
}

impl Found {
    /// The path pattern.
    #[must_use]
    pub fn pattern(self) -> Option<&'static str> {
        match self {
            Self::Operation(entry) => Some(entry.pattern),
            Self::Elsewhere(pattern, _) => Some(pattern),
            Self::Nothing => None,
        }
    }
}

impl Entry {
    /// The first parameter of a query string that the operation does not know.
    #[must_use]
    pub fn unknown<'q>(&self, query: &'q str) -> Option<&'q str> {
        let names = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split('=').next());
        let mut names = names.filter(|name| !self.query.iter().any(|known| known == name));
        names.next()
    }

    /// What its handler is grouped by: the beginning of the path, without what varies.
    fn beginning(&self) -> &'static str {
        let fixed = self.pattern.split_once("/{").map_or(self.pattern, |(fixed, _)| fixed);
        let end = fixed.match_indices('/').nth(2).map_or(fixed.len(), |(at, _)| at);
        fixed.get(..end).unwrap_or(fixed)
    }
}

/// A method of a path, what it does, and the query parameters that it documents.
type Stated = (&'static str, Operation, Vec<String>);

/// A method that operations have.
fn name(method: &HttpMethod) -> Option<&'static str> {
    match method {
        HttpMethod::Get => Some("GET"),
        HttpMethod::Post => Some("POST"),
        HttpMethod::Put => Some("PUT"),
        HttpMethod::Patch => Some("PATCH"),
        HttpMethod::Delete => Some("DELETE"),
        HttpMethod::Options | HttpMethod::Head | HttpMethod::Trace => None,
    }
}

impl Directory {
    /// The operations of all subjects, read once.
    #[must_use]
    pub fn published() -> &'static Self {
        static PUBLISHED: LazyLock<Directory> = LazyLock::new(|| Directory::of(crate::routes()));
        &PUBLISHED
    }

    /// Reads operations with the methods and paths that their documentation states.
    fn of(routes: impl Iterator<Item = Routes>) -> Self {
        let mut paths: BTreeMap<String, Vec<Stated>> = BTreeMap::new();
        for operation in routes.flat_map(|routes| routes.operations) {
            let (path, methods, documented) = (operation.place)();
            let parameters = documented.parameters.unwrap_or_default();
            let own = parameters.into_iter().filter_map(|parameter| match parameter {
                RefOr::T(own) => (own.parameter_in == ParameterIn::Query).then_some(own.name),
                RefOr::Ref(_) => None,
            });
            let own: Vec<String> = own.collect();
            for method in methods.iter().filter_map(name) {
                let dry_run = (method != "GET").then(|| "dryRun".to_owned());
                let query = own.iter().cloned().chain(dry_run).collect();
                paths.entry(path.clone()).or_default().push((method, *operation, query));
            }
        }
        let mut directory = Self::default();
        for (path, mut operations) in paths {
            operations.sort_unstable_by_key(|(method, ..)| *method);
            // As many as there are paths in the program, and made once.
            let pattern: &'static str = path.leak();
            let entries = operations.into_iter().map(|(method, operation, query)| {
                let number = directory.operations;
                directory.operations += 1;
                Entry { operation, method, pattern, number, query }
            });
            let resource = Resource { pattern, entries: entries.collect() };
            if let Err(error) = directory.router.insert(pattern, directory.resources.len()) {
                // Nobody finds it then: the first test of that operation says so.
                tracing::error!(%error, pattern, "two paths are not to be told apart");
            }
            directory.resources.push(resource);
        }
        directory
    }

    /// What a method and a path name.
    #[must_use]
    pub fn find(&'static self, path: &str, method: &str) -> Found {
        let found = self.router.at(path).ok().and_then(|found| self.resources.get(*found.value));
        let Some(Resource { pattern, entries }) = found else { return Found::Nothing };
        entries.iter().find(|entry| entry.method == method).map_or(Found::Elsewhere(pattern, entries), Found::Operation)
    }

    /// How many operations there are.
    #[must_use]
    pub fn operations(&self) -> usize {
        self.operations
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.resources.iter().flat_map(|resource| &resource.entries)
    }
}

/// Registers every handler. The framework tries the patterns one after the other, so they are grouped by the beginning
/// of their path, and a group whose beginning is another is passed over at once.
pub fn register(service: &mut ServiceConfig) {
    let mut groups: BTreeMap<&str, Vec<fn(&mut ServiceConfig)>> = BTreeMap::new();
    for entry in Directory::published().entries() {
        groups.entry(entry.beginning()).or_default().push(entry.operation.register);
    }
    for (beginning, handlers) in groups {
        let guard = fn_guard(move |request| {
            let rest = request.head().uri.path().strip_prefix(beginning);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        service.service(scope("").guard(guard).configure(|scope| handlers.iter().for_each(|register| register(scope))));
    }
}
