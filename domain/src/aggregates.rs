//! The register of aggregates: which one is behind each [`Kind`].

use std::sync::LazyLock;

use strum::VariantNames;
use utoipa::ToSchema;
use utoipa::openapi::{RefOr, Schema};

use crate::kernel::{Aggregate, Kind};

/// Runs code with the aggregate of a kind, such as `of_kind!(kind, A => A::CLOCK)`. A new kind does not compile without
/// its line here, and whatever is asked of every aggregate is asked through it.
#[macro_export]
macro_rules! of_kind {
    ($kind:expr, $A:ident => $work:expr) => {
        $crate::of_kind! {
            $kind, $A => $work;
            Arrangement: arrangement::Arrangement,
            Lot: arrangement::Lot,
            Requirement: arrangement::Requirement,
            Round: arrangement::Round,
            Provider: provider::Provider,
            Home: provider::Home,
            Application: admission::Application,
            ComplianceCheck: admission::compliance_check::ComplianceCheck,
            Membership: admission::membership::Membership,
            Suspension: standing::suspension::Suspension,
            ImprovementNotice: standing::improvement_notice::ImprovementNotice,
            Sanction: standing::sanction::Sanction,
            Removal: standing::removal::Removal,
            Appeal: standing::appeal::Appeal,
            DeclarationOfInterests: admission::declaration_of_interests::DeclarationOfInterests,
            Interest: arrangement::Interest,
            Fee: fee::Fee,
            Deadline: deadline::WatchedDeadline,
            Client: client::Client,
            Webhook: webhook::Webhook,
            Upload: upload::Upload,
        }
    };
    ($kind:expr, $A:ident => $work:expr; $($Kind:ident: $($part:ident)::+,)+) => {
        match $kind {
            $($crate::kernel::Kind::$Kind => {
                type $A = $crate::$($part)::+;
                $work
            })+
        }
    };
}

/// The types of event, of every kind.
#[must_use]
pub fn event_types() -> &'static [&'static str] {
    fn of(kind: Kind) -> &'static [&'static str] {
        of_kind!(kind, A => <<A as Aggregate>::Event as VariantNames>::VARIANTS)
    }
    static TYPES: LazyLock<Vec<&'static str>> =
        LazyLock::new(|| Kind::ALL.iter().copied().flat_map(of).copied().collect());
    &TYPES
}

/// The events of one kind, as the contract publishes them.
#[derive(Clone)]
pub struct Events {
    /// Name of the schema, such as `FeeEvent`.
    pub name: String,
    /// The names of their types.
    pub types: &'static [&'static str],
    /// Their schema: an object for each type, in the same order, told apart by `type`.
    pub schema: RefOr<Schema>,
    /// The schemas that it refers to, by name.
    pub parts: Vec<(String, RefOr<Schema>)>,
}

/// The events of that kind.
#[must_use]
pub fn events(kind: Kind) -> Events {
    fn of<E: ToSchema + VariantNames>() -> Events {
        let mut parts = Vec::new();
        E::schemas(&mut parts);
        Events { name: E::name().into_owned(), types: E::VARIANTS, schema: E::schema(), parts }
    }
    of_kind!(kind, A => of::<<A as Aggregate>::Event>())
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;
    use serde_json::{Value, json};
    use strum::VariantNames;

    use crate::admission::line::LineStatus;
    use crate::fee::FeeUnit;
    use crate::kernel::{Aggregate, Kind, Permission, Role};
    use crate::upload::UploadKind;

    /// The names that serde knows, as it tells them to whoever sends another.
    fn known<T: DeserializeOwned>(unknown: Value) -> Vec<String> {
        let told = serde_json::from_value::<T>(unknown).err().unwrap().to_string();
        told.split('`').skip(3).step_by(2).map(str::to_owned).collect()
    }

    #[test]
    fn a_kind_is_that_of_its_aggregate() {
        for kind in Kind::ALL {
            of_kind!(*kind, A => assert_eq!(A::KIND, *kind));
        }
    }

    /// Whoever reads the feed tells events apart by their type alone.
    #[test]
    fn a_type_of_event_is_one_aggregates() {
        let mut types: Vec<&str> = super::event_types().to_vec();
        types.sort_unstable();
        assert!(types.windows(2).all(|two| two[0] != two[1]), "{types:?}");
    }

    #[test]
    fn a_name_is_that_of_json() {
        fn state<S: VariantNames + DeserializeOwned>(kind: Kind) {
            assert_eq!(known::<S>(json!({"state": "?"})), S::VARIANTS, "{kind:?}");
        }
        for kind in Kind::ALL {
            of_kind!(*kind, A => state::<<A as Aggregate>::State>(*kind));
        }
        assert_eq!(known::<LineStatus>(json!({"state": "?"})), LineStatus::VARIANTS);
        assert_eq!(known::<FeeUnit>(json!("?")), FeeUnit::VARIANTS);
        assert_eq!(known::<Kind>(json!("?")), Kind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>());
        assert_eq!(known::<Role>(json!("?")), Role::ALL.map(Role::name));
        assert_eq!(known::<Permission>(json!("?")), Permission::ALL.iter().map(|it| it.scope()).collect::<Vec<_>>());
        assert_eq!(known::<UploadKind>(json!("?")), UploadKind::ALL.map(UploadKind::name));
    }

    #[test]
    fn the_schema_of_events_has_each_type_once() {
        for kind in Kind::ALL {
            let events = super::events(*kind);
            let schema = serde_json::to_value(&events.schema).unwrap();
            let objects = schema["oneOf"].as_array().unwrap();
            let names: Vec<_> =
                objects.iter().map(|one| one["properties"]["type"]["enum"][0].as_str().unwrap()).collect();
            assert_eq!(names, events.types, "{}", events.name);
        }
    }
}
