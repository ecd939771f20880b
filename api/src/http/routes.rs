//! One list per subject registers its routes, documents them and names the permission each needs, so that the three
//! cannot differ.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::web::ServiceConfig;
use domain::kernel::{Permission, Rule};
use utoipa::openapi::path::ParameterIn;
use utoipa::openapi::{OpenApi, RefOr};

/// One operation of the API.
#[derive(Clone, Copy, Debug)]
pub struct Operation {
    /// The handler's name; in camel case it is the `operationId`.
    pub name: &'static str,
    /// What the caller needs.
    pub permission: Permission,
    /// The rules whose violation it can answer with.
    pub rules: &'static [&'static [&'static Rule]],
}

/// The routes of one subject.
pub struct Subject {
    /// Registers the handlers.
    pub configure: fn(&mut ServiceConfig),
    /// Their documentation.
    pub document: fn() -> OpenApi,
    /// What each needs and can answer.
    pub operations: &'static [Operation],
}

/// Declares a subject's routes: `handler: Permission, [RULES of the modules it decides with];`
macro_rules! routes {
    ($($handler:ident: $permission:ident, [$($rules:expr),* $(,)?];)+) => {
        /// The routes of this subject.
        pub fn routes() -> $crate::http::routes::Subject {
            #[derive(utoipa::OpenApi)]
            #[openapi(paths($($handler),+))]
            struct Document;

            $crate::http::routes::Subject {
                configure: |config| { config$(.service($handler))+; },
                document: <Document as utoipa::OpenApi>::openapi,
                operations: {
                    const OPERATIONS: &[$crate::http::routes::Operation] = &[$(
                        $crate::http::routes::Operation {
                            name: stringify!($handler),
                            permission: domain::kernel::Permission::$permission,
                            rules: { static OWN: &[&[&domain::kernel::Rule]] = &[$($rules),*]; OWN },
                        }
                    ),+];
                    OPERATIONS
                },
            }
        }
    };
}
pub(crate) use routes;

/// Finds the operation that a method and path pattern name.
#[derive(Debug, Default)]
pub struct Directory(BTreeMap<String, BTreeMap<&'static str, Entry>>);

/// An operation with the query parameters that it documents.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The operation.
    pub operation: Operation,
    query: Vec<String>,
}

impl Entry {
    /// The first parameter of a query string that the operation does not know.
    #[must_use]
    pub fn unknown<'q>(&self, query: &'q str) -> Option<&'q str> {
        let names = query.split('&').filter(|pair| !pair.is_empty()).filter_map(|pair| pair.split('=').next());
        let mut names = names.filter(|name| !self.query.iter().any(|known| known == name));
        names.next()
    }
}

impl Directory {
    /// The operations of all subjects, read once.
    #[must_use]
    pub fn published() -> &'static Self {
        static PUBLISHED: LazyLock<Directory> = LazyLock::new(|| Directory::of(&crate::subjects()));
        &PUBLISHED
    }

    /// Reads the operations of subjects with the methods and paths their documentation states.
    fn of(subjects: &[Subject]) -> Self {
        let mut directory = Self::default();
        for subject in subjects {
            for (path, item) in (subject.document)().paths.paths {
                let methods = [
                    ("GET", item.get),
                    ("POST", item.post),
                    ("PUT", item.put),
                    ("PATCH", item.patch),
                    ("DELETE", item.delete),
                ];
                for (method, documented) in methods {
                    let Some(documented) = documented else { continue };
                    let name = documented.operation_id.as_deref();
                    let Some(operation) = subject.operations.iter().find(|o| name == Some(o.name)) else { continue };
                    let parameters = documented.parameters.unwrap_or_default();
                    let own = parameters.into_iter().filter_map(|parameter| match parameter {
                        RefOr::T(own) => (own.parameter_in == ParameterIn::Query).then_some(own.name),
                        RefOr::Ref(_) => None,
                    });
                    let dry_run = (method != "GET").then(|| "dryRun".to_owned());
                    let entry = Entry { operation: *operation, query: own.chain(dry_run).collect() };
                    directory.0.entry(path.clone()).or_default().insert(method, entry);
                }
            }
        }
        directory
    }

    /// The operation, or the methods that the path knows.
    ///
    /// # Errors
    /// The methods known, where the path knows others only; empty where the path is unknown.
    pub fn find(&self, pattern: Option<&str>, method: &str) -> Result<&Entry, Vec<&'static str>> {
        let Some(known) = pattern.and_then(|p| self.0.get(p)) else { return Err(Vec::new()) };
        known.get(method).ok_or_else(|| known.keys().copied().collect())
    }
}
