//! A restore into PostgreSQL that ends at any of its steps: until it is whole nothing is served, proved or backed up, and
//! both ways out lead to a whole database.

mod postgres {
    use persistence::backup::{self, Target};
    use persistence::record::verify::verify;
    use persistence::{Db, Failure, Page, Settings};

    use crate::database::{Database, Kind};
    use crate::store::{Store, wait};

    /// The requirements in a database.
    fn codes(database: &Database) -> Vec<String> {
        let db = Db::open(&Settings { connections: 1, ..Settings::new(&database.url) }).unwrap();
        let all = wait(db.scan(|c| c.list(&persistence::Filter::<domain::arrangement::Requirement>::all(), Page::ALL)));
        all.unwrap().into_iter().map(|stored| stored.value.code).collect()
    }

    /// The database, once the store's connections are gone: they are closed by a thread of their pool.
    fn target(url: &str) -> Target {
        loop {
            match Target::open(url) {
                Ok(target) => return target,
                Err(Failure::Unavailable(why)) if why.contains("in use") => std::thread::yield_now(),
                Err(other) => panic!("{other:?}"),
            }
        }
    }

    fn is_refused(database: &Database) {
        let says = |failure: Option<Failure>| match failure {
            Some(Failure::Unavailable(why)) => assert!(why.contains("dps restore --back"), "{why}"),
            other => panic!("{other:?}"),
        };
        says(persistence::migrate(&database.url).err());
        says(backup::inspect(&database.url, verify).err());
    }

    #[test]
    fn a_restore_that_stops_is_told_and_leads_both_ways() {
        let database = Database::bare(Kind::Postgres);
        persistence::migrate(&database.url).unwrap();
        let db = Db::open(&Settings::new(&database.url)).unwrap();
        let store = Store { database, db };
        store.define("DBS").unwrap();
        let Store { database, db } = store;
        drop(db);
        let url = database.url.as_str();
        // What comes out of the backup at each step: nothing yet; a schema; one that is brought up to date and proved.
        let steps: [fn(&str); 3] = [
            |_| {},
            |url| persistence::migrate_restored(url).map(drop).unwrap(),
            |url| {
                persistence::migrate_restored(url).unwrap();
                assert!(backup::inspect_restored(url, verify).unwrap().is_intact());
            },
        ];
        for stopped in steps {
            target(url).set_aside().unwrap();
            stopped(url);
            is_refused(&database);
            // Whoever goes on begins by going back.
            let mut target = self::target(url);
            assert!(target.is_unfinished().unwrap());
            target.put_back().unwrap();
            assert!(!target.is_unfinished().unwrap());
            drop(target);
            assert!(backup::inspect(url, verify).unwrap().is_intact());
            assert_eq!(codes(&database), ["DBS"]);
        }
        let mut target = self::target(url);
        target.set_aside().unwrap();
        persistence::migrate_restored(url).unwrap();
        target.discard().unwrap();
        assert_eq!(codes(&database), Vec::<String>::new());
        assert_eq!(persistence::migrate(url).unwrap(), Vec::<String>::new());
    }
}
