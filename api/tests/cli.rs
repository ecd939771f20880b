//! The binary as an operator runs it.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking, and says where"
)]

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

/// A folder of a test's own with a database in it or beside it; both are gone with it.
struct Site {
    folder: PathBuf,
    database: String,
    server: Option<String>,
}

impl Site {
    fn sqlite(name: &str) -> Self {
        let folder = folder(name);
        let database = format!("sqlite:{}", folder.join("dps.db").display());
        Self { folder, database, server: None }
    }

    fn postgres(name: &str) -> Self {
        let server = std::env::var("TEST_POSTGRES_URL")
            .expect("TEST_POSTGRES_URL: run `make test`, or `scripts/postgres run -- cargo test -p dps`");
        let mut site = Self { folder: folder(&format!("{name}_pg")), database: String::new(), server: Some(server) };
        site.database = site.another(name);
        site
    }

    /// One more database, empty.
    fn another(&self, name: &str) -> String {
        let Some(server) = &self.server else {
            return format!("sqlite:{}", self.folder.join(format!("{name}.db")).display());
        };
        let name = format!("cli_{}_{name}", std::process::id());
        administer(server, &format!("CREATE DATABASE {name}"));
        format!("{}/{name}", server.rsplit_once('/').unwrap().0)
    }

    fn gone(&self, database: &str) {
        if let Some(server) = &self.server {
            let name = database.rsplit_once('/').unwrap().1;
            administer(server, &format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_dps"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("DPS_") {
                command.env_remove(name);
            }
        }
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env("DATABASE_URL", &self.database)
            .env("DPS_TOKEN_KEY_FILE", self.file("token.key"))
            .env("DPS_LISTEN", "127.0.0.1:0");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ended {
        ended(&mut self.command(arguments))
    }

    fn serve(&self) -> Serving {
        let mut child = self
            .command(&["serve"])
            .env("DPS_CLOCK", "2018-12-03T09:00:00Z")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("the server starts").unwrap();
        let address = first.split_whitespace().last().unwrap().to_owned();
        let token = self.run(&["token", "--role", "lead_agency", "--authority", "LGSS"]).done();
        Serving { child, address, token: token.trim().to_owned(), made: 0 }
    }

    /// Some events, and a server that has stopped.
    fn lived(self) -> Self {
        let mut serving = self.serve();
        serving.write(3);
        serving.stop();
        self
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.gone(&self.database);
            drop(std::fs::remove_dir_all(&self.folder));
        }
    }
}

fn administer(server: &str, statement: &str) {
    let mut conn = <diesel::PgConnection as diesel::Connection>::establish(server).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut conn, statement).unwrap();
}

fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("cli_{name}_{}", std::process::id()));
    drop(std::fs::remove_dir_all(&folder));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A server that runs.
struct Serving {
    child: Child,
    address: String,
    token: String,
    made: usize,
}

impl Serving {
    /// Writes that many requirements, an event each.
    fn write(&mut self, many: usize) {
        for _ in 0..many {
            self.made += 1;
            let body = json!({"code": format!("requirement-{}", self.made), "first": {
                "title": "Public liability insurance is in force", "test": {"kind": "manual"},
                "gate": "membership", "mandatory": true, "selfAssessable": false, "questions": [],
            }});
            let answer = ureq::post(format!("{}/v1/requirements", self.address))
                .header("authorization", format!("Bearer {}", self.token))
                .send_json(body);
            assert_eq!(answer.unwrap().status(), 201);
        }
    }

    /// Stops it as a service manager does.
    fn stop(mut self) {
        assert!(Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap().success());
        let ended = self.child.wait().unwrap();
        let mut log = String::new();
        std::io::Read::read_to_string(&mut self.child.stderr.take().unwrap(), &mut log).unwrap();
        assert_eq!(ended.code(), Some(0), "{log}");
        assert!(log.contains("\"stopped\""), "{log}");
    }
}

/// A command that has ended.
struct Ended(Output);

fn ended(command: &mut Command) -> Ended {
    Ended(command.output().unwrap())
}

impl Ended {
    fn text(&self) -> String {
        String::from_utf8(self.0.stdout.clone()).unwrap()
    }

    fn says(&self) -> String {
        String::from_utf8(self.0.stderr.clone()).unwrap()
    }

    /// What it printed, having succeeded.
    #[track_caller]
    fn done(&self) -> String {
        assert_eq!(self.0.status.code(), Some(0), "{}\n{}", self.text(), self.says());
        self.text()
    }

    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_str(&self.done()).unwrap()
    }

    /// What it said, having failed with that code.
    #[track_caller]
    fn failed(&self, code: i32) -> String {
        assert_eq!(self.0.status.code(), Some(code), "{}\n{}", self.text(), self.says());
        self.says()
    }
}

/// Each test on both databases.
macro_rules! on_both {
    ($($(#[$doc:meta])* fn $name:ident($site:ident: Site) $body:block)*) => {
        $($(#[$doc])* fn $name($site: Site) $body)*
        mod sqlite { use super::*; $(#[test] fn $name() { super::$name(Site::sqlite(stringify!($name))) })* }
        mod postgres { use super::*; $(#[test] fn $name() { super::$name(Site::postgres(stringify!($name))) })* }
    };
}

on_both! {
    fn a_backup_is_taken_while_a_server_writes(site: Site) {
        let mut serving = site.serve();
        serving.write(2);
        let file = site.file("backup");
        let manifest = std::thread::scope(|scope| {
            let backup = scope.spawn(|| site.run(&["backup", "backup", "--json"]).json());
            serving.write(20);
            backup.join().unwrap()
        });
        let events = manifest["record"]["events"].as_u64().unwrap();
        assert!((2..=22).contains(&events) && manifest["record"]["intact"] == true, "{manifest:#}");
        let kept: Value = serde_json::from_str(&std::fs::read_to_string(site.file("backup.json")).unwrap()).unwrap();
        assert_eq!(kept, manifest);
        assert_eq!(std::fs::metadata(&file).unwrap().len(), manifest["bytes"].as_u64().unwrap());
        assert!(site.run(&["backup", "backup"]).failed(1).contains("is there already"));
        // A database in use is not replaced.
        let refused = site.run(&["restore", "backup", "--replace"]).failed(4);
        assert!(refused.contains("in use"), "{refused}");
        serving.stop();
        // The file of an account that only root may act for.
        let path = site.database.strip_prefix("sqlite:").map(Path::new);
        let given = path.is_some_and(|path| std::os::unix::fs::chown(path, Some(65532), Some(65532)).is_ok());
        let restored = site.run(&["restore", "backup", "--replace", "--json"]).json();
        assert_eq!(restored, manifest["record"]);
        if let Some(path) = path.filter(|_| given) {
            let found = std::fs::metadata(path).unwrap();
            assert_eq!((found.uid(), found.gid(), found.mode() & 0o777), (65532, 65532, 0o600));
        }
    }

    fn a_restored_record_is_the_one_that_was_backed_up(site: Site) {
        let site = site.lived();
        site.run(&["sweep"]).done();
        let before = site.run(&["audit", "verify", "--json"]).json();
        site.run(&["backup", "backup"]).done();
        assert!(site.run(&["restore", "backup"]).failed(1).contains("--replace"));
        let other = site.another("restored_elsewhere");
        ended(site.command(&["restore", "backup"]).env("DATABASE_URL", &other)).done();
        let after = ended(site.command(&["audit", "verify", "--json"]).env("DATABASE_URL", &other)).json();
        assert_eq!(after, before);
        assert_eq!(after["checkpoints"], 1);
        site.gone(&other);
        // What came after the backup is gone after the restore; the server goes on from there.
        let mut serving = site.serve();
        serving.made = 10;
        serving.write(1);
        serving.stop();
        site.run(&["restore", "backup", "--replace"]).done();
        let again = site.run(&["audit", "verify", "--json"]).json();
        assert_eq!(again["events"], before["events"]);
        let mut serving = site.serve();
        serving.made = 20;
        serving.write(1);
        serving.stop();
        assert_eq!(site.run(&["audit", "verify", "--json"]).json()["findings"], json!([]));
    }

    fn what_is_wrong_with_a_backup_is_found_before_anything_is_replaced(site: Site) {
        let site = site.lived();
        let before = site.run(&["audit", "verify", "--json"]).json();
        site.run(&["backup", "backup"]).done();
        let whole = std::fs::read(site.file("backup")).unwrap();
        let mut torn = whole.clone();
        let middle = torn.len() / 2;
        torn[middle] ^= 0xff;
        std::fs::write(site.file("backup"), &torn).unwrap();
        assert!(site.run(&["restore", "backup", "--replace"]).failed(5).contains("SHA-256"));
        // Another record's manifest.
        std::fs::write(site.file("backup"), &whole).unwrap();
        let manifest = std::fs::read_to_string(site.file("backup.json")).unwrap();
        std::fs::write(site.file("backup.json"), manifest.replace("\"digest\": \"", "\"digest\": \"0")).unwrap();
        assert!(site.run(&["restore", "backup", "--replace"]).failed(5).contains("not the one of the manifest"));
        std::fs::write(site.file("backup.json"), manifest.replace("\"schema\": \"0", "\"schema\": \"9")).unwrap();
        assert!(site.run(&["restore", "backup", "--replace"]).failed(1).contains("newer program"));
        if site.server.is_some() {
            let ahead = manifest.replace("\"newestTransaction\": ", "\"newestTransaction\": 9999");
            std::fs::write(site.file("backup.json"), ahead).unwrap();
            assert!(site.run(&["restore", "backup", "--replace"]).failed(1).contains("pg_resetwal -x "));
        }
        std::fs::write(site.file("other"), "hello").unwrap();
        assert!(site.run(&["restore", "other", "--replace"]).failed(1).contains("is no backup"));
        assert_eq!(site.run(&["audit", "verify", "--json"]).json(), before);
        // Without a manifest there is still the record's own proof.
        std::fs::remove_file(site.file("backup.json")).unwrap();
        assert!(site.run(&["restore", "backup", "--replace"]).done().contains("no manifest"));
    }

    fn a_client_is_looked_after_without_a_token(site: Site) {
        let register = ["client", "register", "--name", "Reports", "--role", "script", "--scope"];
        let made = site.run(&[&register[..], &["read_members,read_record", "--json"]].concat()).json();
        let (id, secret) = (made["id"].as_str().unwrap(), made["secret"].as_str().unwrap());
        assert_eq!(made["terms"]["scopes"].as_array().unwrap().len(), 2);
        let listed = site.run(&["client", "list", "--json"]).json();
        assert_eq!(listed[0]["id"], id);
        assert!(!listed.to_string().contains(secret) && !listed.to_string().contains("hash"), "{listed:#}");
        // A server takes the secret.
        let serving = site.serve();
        let token = |id: &str, secret: &str| {
            let form = [("grant_type", "client_credentials"), ("client_id", id), ("client_secret", secret)];
            let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
            agent.post(format!("{}/oauth/token", serving.address)).send_form(form).unwrap().status().as_u16()
        };
        assert_eq!(token(id, secret), 200);
        let rotated = site.run(&["client", "rotate", id, "--overlap", "0", "--json"]).json();
        assert_eq!(token(id, secret), 401);
        let secret = rotated["secret"].as_str().unwrap();
        assert_eq!(token(id, secret), 200);
        assert!(site.run(&["client", "revoke", id, "--reason", "done with"]).done().contains("revoked"));
        assert_eq!(token(id, secret), 401);
        serving.stop();
        assert!(site.run(&["client", "list"]).done().contains("Reports"));
        let events = site.run(&["audit", "verify", "--json"]).json()["events"].as_u64();
        assert_eq!(events, Some(3));
        // What is wrong is told in the words of the rules, all of it.
        let refused = site.run(&["client", "register", "--name", " ", "--role", "provider", "--scope", "read_members"]);
        let refused = refused.failed(1);
        assert!(refused.contains("client_name") && refused.contains("client_role"), "{refused}");
        assert!(site.run(&["client", "revoke", id, "--reason", "again"]).failed(1).contains("revoked"));
        site.run(&[&register[..], &["fly"]].concat()).failed(2);
    }

    fn a_file_is_imported_and_followed_to_its_end(site: Site) {
        let serving = site.serve();
        let token = site.run(&["token", "--role", "portal"]).done();
        std::fs::write(site.file("token"), &token).unwrap();
        let good = "legalName,companyNumber\nWillow House Ltd,01234567\nElm House Ltd,01234568\n";
        std::fs::write(site.file("good.csv"), good).unwrap();
        std::fs::write(site.file("bad.csv"), format!("{good},01234569\nAsh Ltd,01234570\n")).unwrap();
        let import = |file: &str, more: &[&str]| {
            let given = ["import", "providers", file, "--url", &serving.address, "--token-file", "token"];
            site.run(&[&given[..], more].concat())
        };
        let asked = import("good.csv", &["--dry-run", "--json"]).json();
        assert_eq!((&asked["state"], &asked["counts"]["added"]), (&json!("validated"), &json!(2)));
        let done = import("good.csv", &[]).done();
        assert_eq!(done, "applied: 2 rows, 2 added, 0 changed, 0 unchanged, 0 refused, 0 skipped\n");
        assert!(import("good.csv", &[]).done().contains("2 unchanged"));
        std::fs::write(site.file("cut.csv"), good.trim_end()).unwrap();
        let noted = import("cut.csv", &[]).done();
        assert!(noted.contains("note: the last line has no line end: was the file cut off?; rows 3 (no_final_line_end)"), "{noted}");
        // All or none, and then all that can be.
        let refused = import("bad.csv", &["--rejected", "rejected.csv"]);
        assert!(refused.failed(6).contains("row 4, legalName"), "{}", refused.says());
        assert!(refused.text().starts_with("rejected: "), "{}", refused.text());
        assert!(std::fs::read_to_string(site.file("rejected.csv")).unwrap().contains("Ash Ltd"));
        let part = import("bad.csv", &["--mode", "partial", "--rejected", "rejected.csv"]);
        part.failed(6);
        assert_eq!(part.text(), "partial: 4 rows, 1 added, 0 changed, 2 unchanged, 1 refused, 0 skipped\n");
        let rejected = std::fs::read_to_string(site.file("rejected.csv")).unwrap();
        assert!(rejected.contains("01234569") && !rejected.contains("Ash Ltd"), "{rejected}");
        // Who may not, and where nobody is.
        let plain = ["import", "providers", "good.csv", "--url", &serving.address];
        assert!(site.run(&plain).failed(1).contains("DPS_TOKEN"));
        let stranger = ended(site.command(&plain).env("DPS_TOKEN", "s3cret-and-wrong")).failed(1);
        assert!(stranger.contains("401") && !stranger.contains("s3cret"), "{stranger}");
        let nowhere = ["import", "providers", "good.csv", "--url", "http://127.0.0.1:1"];
        ended(site.command(&nowhere).env("DPS_TOKEN", token.trim())).failed(4);
        assert!(import("no-such.csv", &[]).failed(1).contains("no-such.csv"));
        serving.stop();
    }

    fn what_is_due_is_done_once(site: Site) {
        site.run(&["migrate"]).done();
        assert_eq!(site.run(&["migrate", "--json"]).json(), json!([]));
        let nothing = json!({"made": 0, "failed": 0});
        let idle = json!({"deliver": nothing, "seal": nothing, "tidy": nothing});
        assert_eq!(site.run(&["sweep", "--json"]).json(), idle);
        let site = site.lived();
        let first = site.run(&["sweep", "--json"]).json();
        assert!(first.as_object().unwrap().values().all(|job| job["failed"] == 0), "{first}");
        assert_eq!(site.run(&["sweep", "--json"]).json(), idle);
        assert_eq!(site.run(&["sweep"]).done(), "nothing more is due\n");
    }
}

#[test]
fn a_broken_record_is_told_and_backed_up_as_such() {
    let site = Site::sqlite("broken").lived();
    assert!(site.run(&["audit", "verify"]).done().ends_with("the record is intact\n"));
    let mut conn =
        <diesel::SqliteConnection as diesel::Connection>::establish(site.file("dps.db").to_str().unwrap()).unwrap();
    diesel::connection::SimpleConnection::batch_execute(&mut conn, "UPDATE requirements SET version = 9").unwrap();
    drop(conn);
    let told = site.run(&["audit", "verify"]);
    told.failed(5);
    let place = ", event 1: the newest events are missing: recorded to version 1 of 9\n";
    assert_eq!((told.text().matches("BROKEN  requirement ").count(), told.text().matches(place).count()), (3, 3));
    assert!(told.text().ends_with("the record is broken\n"));
    site.run(&["backup", "backup"]).failed(5);
    assert!(site.run(&["restore", "backup", "--replace"]).failed(5).contains("as its manifest says"));
    std::fs::remove_file(site.file("backup.json")).unwrap();
    assert!(site.run(&["restore", "backup", "--replace"]).failed(5).contains("BROKEN"));
}

#[test]
fn each_role_of_the_database_does_its_work() {
    let site = Site::postgres("roles").lived();
    administer(&site.database, include_str!("../../deploy/postgres-roles.sql"));
    let by = |role: &str, arguments: &[&str]| {
        let url = format!("postgres://{role}@{}", site.database.split_once('@').unwrap().1);
        ended(site.command(arguments).env("DATABASE_URL", url))
    };
    by("dps_read", &["backup", "backup"]).done();
    assert!(by("dps_read", &["audit", "verify"]).done().ends_with("the record is intact\n"));
    by("dps_app", &["sweep"]).done();
    assert_eq!(by("dps_app", &["migrate"]).done(), "", "there is nothing to do");
    by("dps_app", &["client", "register", "--name", "x", "--role", "script", "--scope", "read_members"]).done();
}

#[test]
fn a_restored_database_does_not_inherit_the_log_of_another() {
    let site = Site::sqlite("inherit").lived();
    site.run(&["backup", "backup"]).done();
    std::fs::remove_file(site.file("dps.db")).unwrap();
    std::fs::write(site.file("dps.db-wal"), "left").unwrap();
    assert!(site.run(&["restore", "backup"]).failed(1).contains("dps.db-wal"));
    std::fs::remove_file(site.file("dps.db-wal")).unwrap();
    site.run(&["restore", "backup"]).done();
}

#[test]
fn the_configuration_is_told_without_secrets() {
    let site = Site::sqlite("config");
    std::fs::write(site.file("dps.toml"), "workers = 7\ndatabase_url = \"postgres://u:s3cret@h/d\"\n").unwrap();
    let check = |arguments: &[&str]| {
        let mut command = site.command(&["--config", "dps.toml", "check-config"]);
        ended(command.args(arguments).env_remove("DATABASE_URL"))
    };
    let text = check(&[]).done();
    assert!(text.contains("postgres://u:***@h/d") && !text.contains("s3cret"), "{text}");
    let told = check(&["--json"]).json();
    let row = |name: &str| told["settings"].as_array().unwrap().iter().find(|row| row["name"] == name).unwrap().clone();
    assert_eq!(row("DPS_WORKERS"), json!({"name": "DPS_WORKERS", "value": "7", "from": "file"}));
    assert_eq!(row("DPS_LISTEN")["from"], "environment");
    assert_eq!(row("DPS_CONNECTIONS"), json!({"name": "DPS_CONNECTIONS", "value": "8", "from": "default"}));
    assert!(told["warnings"].to_string().contains("chmod 600"), "{told:#}");
    assert!(!told.to_string().contains("s3cret"));
    // The server says neither.
    let mut serve = site.command(&["--config", "dps.toml", "serve"]);
    let refused = ended(serve.env_remove("DATABASE_URL")).failed(4);
    assert!(!refused.contains("s3cret"), "{refused}");
}

#[test]
fn a_wrong_configuration_ends_every_command_at_once() {
    let site = Site::sqlite("wrong");
    let run = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        ended(command.env("DPS_WORKERS", "0").env("DPS_CONFIG", "/no/such/file")).failed(3)
    };
    for arguments in [&["serve", "--listen", "here"][..], &["migrate"], &["check-config"], &["sweep"], &["backup", "x"]]
    {
        let said = run(arguments);
        assert!(said.contains("DPS_WORKERS") && said.contains("/no/such/file"), "{said}");
    }
    assert!(run(&["serve", "--listen", "here"]).contains("DPS_LISTEN is an address"));
    assert!(!site.file("dps.db").exists());
}

#[test]
fn the_sample_file_is_a_configuration() {
    let site = Site::sqlite("sample");
    let sample = site.run(&["check-config", "--sample"]).done();
    let set: String = sample.replace("\n#workers = 2", "\nworkers = 5");
    assert_ne!(set, sample);
    std::fs::write(site.file("dps.toml"), set).unwrap();
    let told = site.run(&["--config", "dps.toml", "check-config"]).done();
    assert!(told.lines().any(|line| line.starts_with("DPS_WORKERS") && line.contains('5') && line.ends_with("file")));
}

#[test]
fn what_is_not_there_is_told() {
    let site = Site::sqlite("nothing");
    assert!(site.run(&["audit", "verify"]).failed(4).contains("there is no"));
    assert!(site.run(&["backup", "backup"]).failed(4).contains("there is no"));
    assert!(!site.file("backup.partial").exists() && !site.file("dps.db").exists());
    site.run(&["restore", "backup"]).failed(1);
    site.run(&["no-such-command"]).failed(2);
    let nowhere = "postgres://127.0.0.1:1/none";
    ended(site.command(&["migrate"]).env("DATABASE_URL", nowhere)).failed(4);
    ended(site.command(&["backup", "backup"]).env("DATABASE_URL", nowhere)).failed(4);
    assert!(!site.file("backup.partial").exists());
}

#[test]
fn it_explains_itself() {
    let site = Site::sqlite("explains");
    let help = site.run(&["--help"]).done();
    for told in ["Exit codes:", "check-config", "DPS_SWEEP_SECONDS", "backup"] {
        assert!(help.contains(told), "{told}\n{help}");
    }
    assert!(site.run(&["completions", "bash"]).done().contains("check-config"));
    assert!(site.run(&["man"]).done().contains(".TH dps 1"));
    site.run(&["man", "pages"]).done();
    assert!(site.file("pages/dps-restore.1").exists() && site.file("pages/dps-audit-verify.1").exists());
}

#[test]
fn a_server_in_production_refuses_weak_keys() {
    use base64::Engine as _;
    use std::os::unix::fs::PermissionsExt as _;
    let site = Site::sqlite("weak");
    let write = |name: &str, key: &[u8], mode: u32| {
        std::fs::write(site.file(name), key).unwrap();
        std::fs::set_permissions(site.file(name), std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (one, other): (Vec<u8>, Vec<u8>) = ((0..32).collect(), (32..64).collect());
    // `n` of 2,048 bits and of 1,024.
    let set = |bytes: usize| {
        let n = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(vec![0xC5; bytes]);
        json!({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": "k", "n": n, "e": "AQAB"}]}).to_string()
    };
    let refused = |issuer: &str| {
        let mut command = site.command(&["serve"]);
        command.env("DPS_PROFILE", "production").env("DPS_JWKS_FILE", site.file("set.json")).env("DPS_ISSUER", issuer);
        let mut check = site.command(&["check-config"]);
        check.env("DPS_PROFILE", "production").env("DPS_JWKS_FILE", site.file("set.json")).env("DPS_ISSUER", issuer);
        for command in [&mut command, &mut check] {
            command.env("DPS_SEAL_KEY_FILE", site.file("seal.key"));
        }
        let told = |said: String| said.lines().filter(|line| line.starts_with("dps: ")).collect::<Vec<_>>().join("\n");
        let said = told(ended(&mut command).failed(3));
        assert_eq!(said, told(ended(&mut check).failed(3)), "both say the same");
        said
    };
    let issuer = "https://idp.example.org";
    write("token.key", &one, 0o600);
    write("seal.key", &other, 0o600);
    write("set.json", set(128).as_bytes(), 0o644);
    assert!(refused(issuer).contains("no key for RS256 that can be used"));
    write("set.json", set(256).as_bytes(), 0o644);
    assert!(refused("  ").contains("DPS_ISSUER is blank"));
    for (key, mode, says) in [
        (vec![0; 32], 0o600, "the same byte again and again"),
        (vec![7; 31], 0o600, "shorter than 32 bytes"),
        (one.clone(), 0o600, "it holds the key of DPS_TOKEN_KEY_FILE"),
        (other, 0o604, "can be read by every account"),
    ] {
        write("seal.key", &key, mode);
        let said = refused(issuer);
        assert!(said.contains("DPS_SEAL_KEY_FILE") && said.contains(says), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
    std::fs::remove_file(site.file("seal.key")).unwrap();
    assert!(refused(issuer).contains("is not there"));
    assert!(!site.file("dps.db").exists());
}
