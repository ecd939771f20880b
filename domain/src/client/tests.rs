use super::*;
use crate::standing::tests::{actor, at, codes, t0, table};
use uuid::Uuid;

fn terms() -> ClientTerms {
    ClientTerms {
        name: " Feed reader ".into(),
        role: Role::Script,
        scopes: BTreeSet::from([Permission::ReadRecord]),
        authority: None,
        providers: BTreeSet::new(),
        portal: None,
        rate_limit: None,
    }
}

fn portal() -> ClientTerms {
    let scopes = BTreeSet::from([Permission::ManageProfile, Permission::Apply]);
    ClientTerms { role: Role::Portal, scopes, portal: Some("procontract".into()), ..terms() }
}

fn secret(n: u128, now: Instant) -> Secret {
    Secret::new(Uuid::from_u128(n).into(), format!("{n:064x}"), now)
}

fn register(terms: ClientTerms) -> Decision<Client> {
    let id = Uuid::from_u128(9).into();
    Client::register(id, terms, &BTreeSet::new(), secret(1, t0()), &actor("admin"), t0())
}

#[test]
fn golden_table() {
    let active = register(terms()).unwrap().0;
    let revoked = active.clone().revoke("leaked".into(), &actor("admin"), t0()).unwrap().0;
    insta::assert_snapshot!(table(
        vec![active, revoked],
        &[
            ("amend", &|c: Client| c.amend(ClientTerms { rate_limit: Some(5), ..terms() }, &BTreeSet::new())),
            ("amend role", &|c: Client| c.amend(portal(), &BTreeSet::new())),
            ("rotate", &|c: Client| c.rotate(secret(2, t0()), 0, t0())),
            ("rotate long", &|c: Client| c.rotate(secret(2, t0()), LONGEST_OVERLAP + 1, t0())),
            ("revoke", &|c: Client| c.revoke("leaked".into(), &actor("admin"), t0())),
            ("revoke blank", &|c: Client| c.revoke(" ".into(), &actor("admin"), t0())),
        ]
    ));
}

#[test]
fn terms_are_those_of_a_machine() {
    let refused = |terms: ClientTerms| codes(&register(terms));
    assert_eq!(register(terms()).unwrap().0.terms.name, "Feed reader");
    assert!(register(portal()).is_ok());
    assert_eq!(
        refused(ClientTerms { name: " ".into(), scopes: BTreeSet::new(), ..terms() }),
        ["client_name", "client_scope"]
    );
    assert_eq!(refused(ClientTerms { role: Role::LeadAgency, ..terms() }), ["client_role"]);
    assert_eq!(refused(ClientTerms { scopes: BTreeSet::from([Permission::Suspend]), ..terms() }), ["client_scope"]);
    assert_eq!(
        refused(ClientTerms { scopes: BTreeSet::from([Permission::ManageClients]), ..terms() }),
        ["client_scope"]
    );
    let providers = BTreeSet::from([Uuid::from_u128(3).into()]);
    assert_eq!(refused(ClientTerms { providers: providers.clone(), ..portal() }), ["client_acts_for"]);
    let known = Client::register(
        Uuid::from_u128(9).into(),
        ClientTerms { providers: providers.clone(), ..portal() },
        &providers,
        secret(1, t0()),
        &actor("admin"),
        t0(),
    );
    assert!(known.is_ok());
    assert_eq!(refused(ClientTerms { portal: Some("x".into()), ..terms() }), ["client_acts_for", "portal_name"]);
    assert_eq!(refused(ClientTerms { portal: Some("Pro Contract".into()), ..portal() }), ["portal_name"]);
    let authority = AuthorityCode::try_from("LGSS".to_owned()).ok();
    assert_eq!(refused(ClientTerms { authority, ..portal() }), ["client_acts_for"]);
    assert_eq!(refused(ClientTerms { rate_limit: Some(0), ..terms() }), ["client_rate"]);
}

#[test]
fn two_secrets_are_live_at_most_and_the_older_ends_with_the_overlap() {
    let day = 86_400;
    let live = |client: &Client, at: Instant| -> Vec<u128> {
        client.secrets.iter().filter(|s| s.is_live(at)).map(|s| s.id.0.as_u128()).collect()
    };
    let one = register(terms()).unwrap().0;
    let two = one.rotate(secret(2, t0()), day, t0()).unwrap().0;
    assert_eq!(live(&two, t0()), [1, 2]);
    assert_eq!(live(&two, at("2019-02-04T23:59:59Z")), [1, 2]);
    assert_eq!(live(&two, at("2019-02-05T00:00:00Z")), [2], "half-open: at its end it has ended");
    let three = two.clone().rotate(secret(3, t0()), day, t0()).unwrap().0;
    assert_eq!(live(&three, t0()), [2, 3], "the oldest ends at once");
    let at_once = two.rotate(secret(4, t0()), 0, t0()).unwrap().0;
    assert_eq!(live(&at_once, t0()), [4]);
    assert!(at_once.has_live(Uuid::from_u128(4).into(), t0()) && !at_once.has_live(Uuid::from_u128(2).into(), t0()));
}

#[test]
fn an_event_never_tells_a_hash() {
    let (client, registered) = register(terms()).unwrap();
    let (client, rotated) = client.rotate(secret(2, t0()), 60, t0()).unwrap();
    let hashes: Vec<String> = client.secrets.iter().map(|secret| secret.hash.clone()).collect();
    let told = serde_json::to_string(&[registered, rotated].concat()).unwrap();
    assert_eq!(hashes.len(), 2);
    assert!(hashes.iter().all(|hash| !told.contains(hash)), "{told}");
}
